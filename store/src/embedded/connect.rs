use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{
    error::{corrupt, opening_error, store_error},
    migrate,
};
use crate::{config::StoreConfig, error::StoreError};

/// Up to this size a file is looked through for damage when it is opened: some tenths of a second.
const CHECKED_MAX: u64 = 64 * 1024 * 1024;

/// Between two attempts at what is busy.
const RETRY: Duration = Duration::from_millis(5);

/// Where the data is, and how it is opened.
#[derive(Debug, Clone)]
pub(super) struct DataFile {
    path: Arc<Path>,
    busy_timeout: Duration,
}

impl DataFile {
    pub(super) fn new(path: PathBuf, config: &StoreConfig) -> Self {
        Self { path: path.into(), busy_timeout: config.timeout }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The connection that writes, with everything there.
    pub(super) fn open(&self) -> Result<Connection, StoreError> {
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|error| {
                let folder = folder.display();
                StoreError::Config(format!("cannot create the folder {folder}: {error}"))
            })?;
        }
        let mut connection = self.connect().map_err(|error| opening_error(&self.path, &error))?;
        self.check(&connection)?;
        migrate::run(&mut connection, &self.path, self.busy_timeout)?;
        Ok(connection)
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&*self.path, flags)?;
        connection.busy_timeout(self.busy_timeout)?;
        write_ahead(&connection, self.busy_timeout)?;
        // a commit that was answered survives a power cut
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "temp_store", "memory")?;
        connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    }

    fn check(&self, connection: &Connection) -> Result<(), StoreError> {
        let size = fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        if size > CHECKED_MAX {
            return Ok(());
        }
        let verdict: String = connection
            .query_row("pragma quick_check(1)", [], |row| row.get(0))
            .map_err(|error| opening_error(&self.path, &error))?;
        if verdict == "ok" { Ok(()) } else { Err(corrupt(&self.path, &verdict)) }
    }

    /// A connection that reads what is committed.
    pub(super) fn open_reader(&self) -> Result<Connection, StoreError> {
        let open = || {
            let connection = self.connect()?;
            connection.pragma_update(None, "query_only", true)?;
            Ok(connection)
        };
        open().map_err(|error| store_error(&self.path, &error))
    }
}

/// Of several that change a new file's mode at once, all but one are told that it is busy, and
/// without the wait that other statements have.
fn write_ahead(connection: &Connection, patience: Duration) -> rusqlite::Result<()> {
    let deadline = Instant::now() + patience;
    loop {
        match connection.pragma_update(None, "journal_mode", "wal") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < deadline =>
            {
                thread::sleep(RETRY);
            }
            changed => return changed,
        }
    }
}
