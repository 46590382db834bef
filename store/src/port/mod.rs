//! The ports: what the fleet needs of a store, and no more than every engine can do.

mod catalog;
mod ledger;
mod secrets;

pub use catalog::{
    Catalog, Changed, Criterion, Direction, Done, Entry, EntryKey, HistoricEntry, LocalText, Page,
    Put, PutOutcome, Query, Skipped, Snapshot, Sort, SortField, Write,
};
pub use ledger::{
    Claim, Claimed, Finished, JobCursor, JobEntry, JobFilter, JobPage, JobStatus, Ledger, Outcome,
    Parked, Released, Why,
};
pub use secrets::{SecretInfo, Secrets};

/// Whose entries and secrets are there for all tenants.
pub const DEFAULT_TENANT: &str = "default";
