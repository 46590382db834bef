//! What can go wrong with a store, a variant for each decision that a caller can take.

use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database is away, busy or slow. Whether a write under way was done is unknown; the same
    /// call may succeed later by itself.
    #[error("the store is not available: {0}")]
    Temporary(String),
    /// The database is there and takes no writes for now: a standby, or a file without the right
    /// to write. Reads go on.
    #[error("the store is read-only: {0}")]
    ReadOnly(String),
    /// No room is left. Nothing was written; reads go on.
    #[error("the store is full: {0}")]
    Full(String),
    /// User, password or rights are wrong. Waiting does not help.
    #[error("the store refuses access: {0}")]
    Denied(String),
    /// A newer version of this program has changed the schema.
    #[error(
        "the store has schema version {found}, this program knows versions up to {known}; \
         use a newer version of this program, or another store"
    )]
    NewerSchema { found: i64, known: i64 },
    /// Another process keeps the file to itself.
    #[error("{} is held by another process: {problem}", file.display())]
    Held { file: PathBuf, problem: String },
    /// The file cannot be read as a store.
    #[error(
        "{} is damaged: {problem}; stop every process that uses it, move it away together with \
         its -wal and -shm files, then restore a backup or start with an empty store",
        file.display()
    )]
    Corrupt { file: PathBuf, problem: String },
    /// What was given cannot be stored or asked for.
    #[error("{field} {problem}")]
    Invalid { field: &'static str, problem: String },
    /// A setting cannot be used.
    #[error("{0}")]
    Config(String),
    /// A secret is there, and no key that is configured opens it.
    #[error("the secret {name} of tenant {tenant} is encrypted with key {key}, which {problem}")]
    Sealed { tenant: String, name: String, key: String, problem: String },
    /// The database answered with something that this program did not expect.
    #[error("the store failed: {0}")]
    Failed(String),
}

impl StoreError {
    /// Whether the same call may succeed later without anybody doing something about it.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Temporary(_))
    }

    pub(crate) fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid { field, problem: problem.into() }
    }

    /// The caller's own side is gone: the store was closed.
    pub(crate) fn closed() -> Self {
        Self::Temporary("it was closed".to_owned())
    }
}
