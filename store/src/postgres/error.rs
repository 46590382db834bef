//! The engine's words for what the server and the client library say.

use std::{error::Error as _, future::Future, io, time::Duration};

use tokio_postgres::{Error, error::SqlState};

use crate::error::StoreError;

/// Runs a call under a time limit of our own: a server that is cut off does not keep to its own.
pub(super) async fn bounded<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, call).await {
        Ok(answer) => answer.map_err(|error| store_error(&error)),
        Err(_) => Err(timed_out(limit)),
    }
}

pub(super) fn timed_out(limit: Duration) -> StoreError {
    StoreError::Temporary(format!("PostgreSQL did not answer within {limit:?}"))
}

pub(super) fn store_error(error: &Error) -> StoreError {
    let Some(database) = error.as_db_error() else { return link_error(error) };
    let text = match database.detail() {
        Some(detail) => format!("{} ({detail})", database.message()),
        None => database.message().to_owned(),
    };
    let code = database.code();
    match code.code().get(..2).unwrap_or_default() {
        // connections, rollbacks by conflict, lack of memory or connections, an operator's stop
        "08" | "40" | "57" => return StoreError::Temporary(text),
        "28" => return StoreError::Denied(text),
        _ => {}
    }
    match code {
        &SqlState::DISK_FULL => StoreError::Full(format!(
            "{text}; make room on the server's disk, or keep jobs for less time (store.retention)"
        )),
        &SqlState::TOO_MANY_CONNECTIONS
        | &SqlState::OUT_OF_MEMORY
        | &SqlState::LOCK_NOT_AVAILABLE
        | &SqlState::IO_ERROR => StoreError::Temporary(text),
        &SqlState::READ_ONLY_SQL_TRANSACTION => StoreError::ReadOnly(text),
        &SqlState::INSUFFICIENT_PRIVILEGE | &SqlState::INVALID_CATALOG_NAME => {
            StoreError::Denied(text)
        }
        _ => StoreError::Failed(format!("{text} (SQLSTATE {})", code.code())),
    }
}

/// Without an answer by the server.
fn link_error(error: &Error) -> StoreError {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        let inner = next.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if inner.is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>) {
            return StoreError::Denied(text);
        }
        cause = next.source();
    }
    if text.ends_with("server does not support TLS") {
        return StoreError::Denied(format!("{text}; turn TLS on there, or say sslmode=disable"));
    }
    StoreError::Temporary(text)
}

/// Whether a row found no partition to go to.
pub(super) fn is_without_partition(error: &Error) -> bool {
    error.code() == Some(&SqlState::CHECK_VIOLATION)
}
