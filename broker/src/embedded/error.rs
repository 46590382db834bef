//! SQLite's errors, by what can be done about them.

use std::path::Path;

use rusqlite::{Error, ErrorCode};

use crate::port::{BrokerError, PublishError};

pub(super) type Sql<T> = rusqlite::Result<T>;

/// Another process is writing, for longer than one waits.
pub(super) fn is_busy(error: &Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

pub(super) fn is_damaged(error: &Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// What is wrong with the file, and the way out.
pub(super) fn explain(error: &Error, file: &Path) -> String {
    let file = file.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => format!(
            "{file} cannot grow: the disk is full, or the file has reached its configured size; \
             free space, or let jobs be worked off"
        ),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => format!(
            "{file} cannot be written ({error}); give this user the right to write to it and to \
             its folder, or choose another folder"
        ),
        Some(ErrorCode::CannotOpen) => format!(
            "{file} cannot be opened ({error}); check that its folder exists and that this user \
             may write there, or choose another folder"
        ),
        Some(ErrorCode::DatabaseCorrupt) => format!(
            "{file} is damaged ({error}); stop all processes that use it and put back a copy, or \
             save what reads with `sqlite3 {file} .recover`, or move it away to begin anew"
        ),
        Some(ErrorCode::NotADatabase) => format!(
            "{file} is no queue file ({error}); put back a copy, move it away to begin anew, or \
             choose another folder"
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            format!("another process has kept {file} locked for too long; find it, or try again")
        }
        _ => format!("{file} cannot be used: {error}; check the disk"),
    }
}

pub(super) fn open_error(error: &Error, file: &Path) -> BrokerError {
    let text = explain(error, file);
    if is_busy(error) { BrokerError::Link(text) } else { BrokerError::Config(text) }
}

/// What a publisher is told whose message was in a transaction that failed.
pub(super) fn publish_error(error: &Error) -> PublishError {
    match error.sqlite_error_code() {
        // what the disk did not acknowledge may be there all the same after a crash
        Some(ErrorCode::SystemIoFailure) => PublishError::LinkLost,
        _ => PublishError::Refused,
    }
}
