//! Definitions in the store's catalog.

mod assemble;
mod carry_out;
mod entry;
mod plan;
mod refer;
mod versions;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use actionfleet_store::{EntryKey, Snapshot, StoreError};

use self::assemble::{Assembled, Good, assemble};
pub(crate) use self::versions::VersionError;
pub use self::{
    carry_out::carry_out,
    entry::{document_of, entry_of},
    plan::{Change, Deletion, Plan, Wish, plan, referable},
};
pub(super) use self::{plan::plan_what_fits, versions::Versions};
use super::{Catalogs, Finding};

/// The store's catalog, with what was compiled of it.
#[derive(Debug)]
pub(super) struct Stored {
    catalog: Arc<dyn actionfleet_store::Catalog>,
    handlers: Vec<String>,
    good: Mutex<HashMap<EntryKey, Good>>,
}

impl Stored {
    pub(super) fn new(catalog: Arc<dyn actionfleet_store::Catalog>, handlers: Vec<String>) -> Self {
        Self { catalog, handlers, good: Mutex::default() }
    }

    pub(super) fn catalog(&self) -> &Arc<dyn actionfleet_store::Catalog> {
        &self.catalog
    }

    pub(super) async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        self.catalog.snapshot().await
    }

    /// Compiles what has changed since the last time: what is wrong with an entry is a finding, and
    /// its last good version stays.
    pub(super) fn assemble(&self, snapshot: Snapshot) -> (Catalogs, Vec<Finding>) {
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        let assembled = assemble(snapshot, &good, &self.handlers);
        let Assembled { catalogs, findings, good: now } = assembled;
        *good = now;
        (catalogs, findings)
    }
}

#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod tests;
