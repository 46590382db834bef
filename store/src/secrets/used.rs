use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, PoisonError},
};

use actionfleet_proto::Timestamp;

/// Uses that are not written yet, one a secret. There are no more than there are secrets.
#[derive(Debug, Default)]
pub(super) struct Used(Mutex<HashMap<(String, String), Timestamp>>);

impl Used {
    pub(super) fn note(&self, tenant: &str, name: &str) {
        let key = (tenant.to_owned(), name.to_owned());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Timestamp::now());
    }

    /// All of them, sorted, and forgotten here.
    pub(super) fn take(&self) -> Vec<(String, String, Timestamp)> {
        let used = mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut used: Vec<_> =
            used.into_iter().map(|((tenant, name), at)| (tenant, name, at)).collect();
        used.sort();
        used
    }
}
