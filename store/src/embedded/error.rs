use std::path::Path;

use rusqlite::{Error, ErrorCode};

use crate::error::StoreError;

/// The engine's words for what `SQLite` says of a file.
pub(super) fn store_error(file: &Path, error: &Error) -> StoreError {
    let problem = format!("{}: {error}", file.display());
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            StoreError::Temporary(format!("{problem}; another process is writing"))
        }
        Some(ErrorCode::SystemIoFailure) => StoreError::Temporary(format!(
            "{problem}; check the disk, and the limit on the size of files"
        )),
        Some(ErrorCode::OperationInterrupted) => StoreError::Temporary(problem),
        Some(ErrorCode::ReadOnly) => StoreError::ReadOnly(problem),
        Some(ErrorCode::DiskFull) => StoreError::Full(format!(
            "{problem}; make room on its disk, or keep jobs for less time (store.retention)"
        )),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => corrupt(file, error),
        Some(
            ErrorCode::CannotOpen
            | ErrorCode::PermissionDenied
            | ErrorCode::AuthorizationForStatementDenied,
        ) => StoreError::Denied(format!("{problem}; check the folder's and the file's rights")),
        _ => StoreError::Failed(problem),
    }
}

pub(super) fn corrupt(file: &Path, problem: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt { file: file.to_owned(), problem: problem.to_string() }
}

/// While a file is being opened, a lock that does not go away is somebody who keeps it.
pub(super) fn opening_error(file: &Path, error: &Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Held {
            file: file.to_owned(),
            problem: format!("{error}; stop that process, or choose another file"),
        },
        _ => store_error(file, error),
    }
}
