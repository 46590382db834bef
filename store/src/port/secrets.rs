//! Secrets: values that are named everywhere and shown nowhere.

use std::fmt;

use actionfleet_proto::Timestamp;
use async_trait::async_trait;
use secrecy::SecretString;

use crate::error::StoreError;

/// Values by tenant and name, encrypted at rest. Values are 1 byte to 64 KiB; names are 1 to 128
/// of `A-Z 0-9 _`.
#[async_trait]
pub trait Secrets: Send + Sync + fmt::Debug + 'static {
    /// Creates or replaces a value, under the current key.
    async fn set(&self, tenant: &str, name: &str, value: SecretString) -> Result<(), StoreError>;

    /// The tenant's own value, else the default tenant's. It may be 15 minutes old while the
    /// database is away; a change that this process made or heard of counts at once.
    async fn get(&self, tenant: &str, name: &str) -> Result<Option<SecretString>, StoreError>;

    /// The tenant's own, by name, without values.
    async fn list(&self, tenant: &str) -> Result<Vec<SecretInfo>, StoreError>;

    /// Whether there was one.
    async fn delete(&self, tenant: &str, name: &str) -> Result<bool, StoreError>;

    /// Encrypts with the current key whatever is under another one, a batch at a time, and yields
    /// how many there were. One that no configured key opens stays as it is, and is an error once
    /// the others are done.
    async fn rotate(&self) -> Result<u64, StoreError>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretInfo {
    pub name: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Some minutes coarse: uses are written together.
    pub used_at: Option<Timestamp>,
    /// The key that it is encrypted with.
    pub key_id: String,
}
