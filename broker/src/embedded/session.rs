//! Who uses the folder. A process is alive as long as it holds the lock on its session's file,
//! which the system frees when the process ends, however it ends: no clock, no lease.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use super::{
    error::Sql,
    store::{Millis, Store},
};

const FOLDER: &str = "queue-sessions";

/// This process's session. Dropping it frees the lock.
#[derive(Debug)]
pub(super) struct Session {
    folder: PathBuf,
    file: PathBuf,
    _lock: File,
}

/// Why a session could not begin.
#[derive(Debug)]
pub(super) enum NoSession {
    Sql(rusqlite::Error),
    Lock(PathBuf, String),
}

impl From<rusqlite::Error> for NoSession {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl Session {
    /// Within a transaction: others see the session when it is locked.
    pub(super) fn begin(store: &mut Store, folder: &Path, now: Millis) -> Result<Self, NoSession> {
        let pid = i64::from(std::process::id());
        store.execute("INSERT INTO session (pid, started) VALUES (?1, ?2)", [pid, now])?;
        let id = store.connection.last_insert_rowid();
        store.session = id;
        let folder = folder.join(FOLDER);
        let file = file(&folder, id);
        let failed = |why: String| NoSession::Lock(file.clone(), why);
        std::fs::create_dir_all(&folder).map_err(|error| failed(error.to_string()))?;
        let lock = open(&file).map_err(|error| failed(error.to_string()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder, file, _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(failed("a process of an earlier queue in this folder still runs".into()))
            }
            Err(TryLockError::Error(error)) => Err(failed(error.to_string())),
        }
    }

    /// The lock of another session, if its process is gone.
    pub(super) fn take_over(&self, other: i64) -> Option<DeadSession> {
        let file = file(&self.folder, other);
        // a file that is missing, as in a copy of the folder, was locked by nobody
        let lock = open(&file).ok()?;
        lock.try_lock().ok()?;
        Some(DeadSession { file, _lock: lock })
    }

    /// After the session's row is gone.
    pub(super) fn end(self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

/// Locked until it is dropped, so that only one process clears it away.
#[derive(Debug)]
pub(super) struct DeadSession {
    file: PathBuf,
    _lock: File,
}

impl DeadSession {
    /// After the session's row is gone.
    pub(super) fn end(self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

fn file(folder: &Path, session: i64) -> PathBuf {
    folder.join(format!("{session}.lock"))
}

fn open(file: &Path) -> io::Result<File> {
    File::options().create(true).truncate(false).write(true).open(file)
}

impl Store {
    /// The sessions of others.
    pub(super) fn others(&mut self) -> Sql<&[i64]> {
        let others = if let Some(known) = self.others.take() {
            known
        } else {
            let sql = "SELECT id FROM session WHERE id <> ?1";
            self.rows(sql, [self.session], |row| row.get(0))?
        };
        Ok(self.others.insert(others))
    }

    /// Ends a session: what it holds goes back, what is its own goes with it. How many messages
    /// went back.
    pub(super) fn end_session(&mut self, session: i64, now: Millis) -> Sql<usize> {
        let returned = self.return_all(session)?;
        let sql = "SELECT name FROM queue WHERE owner = ?1";
        for name in self.rows(sql, [session], |row| row.get::<_, String>(0))? {
            self.delete_queue(&name)?;
        }
        let sql = "SELECT id FROM consumer WHERE session = ?1";
        for consumer in self.rows(sql, [session], |row| row.get(0))? {
            self.remove_consumer(consumer, now)?;
        }
        self.execute("DELETE FROM session WHERE id = ?1", [session])?;
        self.others = None;
        Ok(returned)
    }
}
