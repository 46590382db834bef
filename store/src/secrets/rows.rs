use std::fmt;

use actionfleet_proto::Timestamp;
use async_trait::async_trait;
use tokio::sync::watch;

use crate::{error::StoreError, port::SecretInfo};

/// What an engine keeps of secrets. A change grows the revision that others see.
#[async_trait]
pub(crate) trait SecretRows: Send + Sync + fmt::Debug + 'static {
    /// The envelopes of a name, of these tenants.
    async fn load(&self, tenants: &[&str], name: &str) -> Result<Vec<SealedRow>, StoreError>;
    async fn save(&self, row: SealedRow) -> Result<(), StoreError>;
    /// Whether there was one.
    async fn remove(&self, tenant: &str, name: &str) -> Result<bool, StoreError>;
    async fn names(&self, tenant: &str) -> Result<Vec<SecretInfo>, StoreError>;
    /// Rows under another key than this one, in the order of tenant and name, after the given row.
    async fn stale(
        &self,
        key_id: &str,
        after: Option<(String, String)>,
        limit: u32,
    ) -> Result<Vec<SealedRow>, StoreError>;
    /// Replaces envelopes that are still the old ones; yields how many were. No secret changes.
    async fn swap(&self, rows: Vec<(SealedRow, SealedRow)>) -> Result<u64, StoreError>;
    /// Notes the last use of tenants' names.
    async fn touch(&self, used: Vec<(String, String, Timestamp)>) -> Result<(), StoreError>;
    /// The revision as far as it is known.
    fn revision(&self) -> watch::Receiver<u64>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealedRow {
    pub(crate) tenant: String,
    pub(crate) name: String,
    pub(crate) key_id: String,
    pub(crate) envelope: Vec<u8>,
}
