use std::{
    error::Error,
    fs::{File, TryLockError},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, OptionalExtension};

use super::error::store_error;
use crate::error::StoreError;

mod embedded {
    refinery::embed_migrations!("migrations/sqlite");
}

const RETRY: Duration = Duration::from_millis(20);

/// Brings the schema up to date, one process at a time.
pub(super) fn run(
    connection: &mut Connection,
    path: &Path,
    patience: Duration,
) -> Result<(), StoreError> {
    if is_current(connection, path)? {
        return Ok(());
    }
    // gone with this process, however it ends
    let _lock = lock(path, patience)?;
    embedded::migrations::runner().run(connection).map_err(|error| {
        let cause = error.source().and_then(|cause| cause.downcast_ref::<rusqlite::Error>());
        cause.map_or_else(
            || StoreError::Failed(format!("{}: {error}", path.display())),
            |cause| store_error(path, cause),
        )
    })?;
    Ok(())
}

fn is_current(connection: &Connection, path: &Path) -> Result<bool, StoreError> {
    let newest = embedded::migrations::runner()
        .get_migrations()
        .iter()
        .map(refinery::Migration::version)
        .max();
    let known = newest.map_or(0, i64::from);
    let found = applied(connection).map_err(|error| store_error(path, &error))?;
    match found {
        Some(found) if found > known => Err(StoreError::NewerSchema { found, known }),
        found => Ok(found == Some(known)),
    }
}

fn applied(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    let table = "select 1 from sqlite_master where name = 'refinery_schema_history'";
    if connection.query_row(table, [], |_| Ok(())).optional()?.is_none() {
        return Ok(None);
    }
    let newest = "select max(version) from refinery_schema_history";
    connection.query_row(newest, [], |row| row.get(0))
}

/// A file beside the data: `SQLite`'s own locks do not span the several transactions of a migration.
fn lock(path: &Path, patience: Duration) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push("-migrate");
    let lock = File::create(&name).map_err(|error| {
        StoreError::Denied(format!("cannot create {}: {error}", name.display()))
    })?;
    let deadline = Instant::now() + patience;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(RETRY),
            Err(error) => {
                let problem = format!("its schema is being changed ({error}); try again later");
                return Err(StoreError::Held { file: path.to_owned(), problem });
            }
        }
    }
}
