//! The ports: what the fleet needs of a store, and no more than every engine can do.

mod catalog;
mod catalog_change;
mod catalog_query;
mod ledger;
mod secrets;

pub use catalog::{Catalog, Entry, EntryKey, HistoricEntry, LocalText, Skipped, Snapshot};
pub use catalog_change::{Changed, Done, Put, PutOutcome, Write};
pub use catalog_query::{Criterion, Direction, Page, Query, Sort, SortField};
pub use ledger::{
    Claim, Claimed, Finished, JobCursor, JobEntry, JobFilter, JobPage, JobStatus, Ledger, Outcome,
    Parked, Released, Why,
};
pub use secrets::{SecretInfo, Secrets};

/// Whose entries and secrets are there for all tenants.
pub const DEFAULT_TENANT: &str = "default";
