//! Whether this worker should be counted on, and why not.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A set of named reasons against being ready; ready while it is empty.
#[derive(Debug, Clone, Default)]
pub(crate) struct Readiness {
    against: Arc<Mutex<BTreeMap<&'static str, String>>>,
}

impl Readiness {
    /// Not ready, for this reason, until [`Readiness::clear`] of the same name.
    pub(crate) fn block(&self, name: &'static str, reason: impl Into<String>) {
        self.against().insert(name, reason.into());
    }

    pub(crate) fn clear(&self, name: &'static str) {
        self.against().remove(name);
    }

    /// `name: reason`, one each.
    pub(crate) fn reasons(&self) -> Vec<String> {
        self.against().iter().map(|(name, reason)| format!("{name}: {reason}")).collect()
    }

    fn against(&self) -> MutexGuard<'_, BTreeMap<&'static str, String>> {
        self.against.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
