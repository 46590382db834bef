//! The catalog: what operators write down for the fleet, versioned, by tenant.

use std::{collections::BTreeMap, fmt};

use actionfleet_proto::Timestamp;
use async_trait::async_trait;
use serde_json::Value;
use tokio::sync::watch;

use super::{
    catalog_change::{Changed, Done, Put, Write},
    catalog_query::{Page, Query},
};
use crate::error::StoreError;

/// Entries by tenant, kind and identifier. Nothing here falls back from a tenant to
/// [`DEFAULT_TENANT`](super::DEFAULT_TENANT): who resolves a name looks at both, in the snapshot.
#[async_trait]
pub trait Catalog: Send + Sync + fmt::Debug + 'static {
    /// Makes all of the changes or none, at one moment: of each entry at most one. Given a revision
    /// that is no longer the current one, it makes none.
    async fn change(&self, writes: Vec<Write>, at: Option<u64>) -> Result<Changed, StoreError>;

    /// The current version, or the given one from the history, which outlives the entry.
    async fn get(&self, key: &EntryKey, version: Option<u32>) -> Result<Option<Entry>, StoreError>;

    async fn find(&self, query: &Query) -> Result<Page, StoreError>;

    /// Every version there was, newest first.
    async fn history(&self, key: &EntryKey) -> Result<Vec<HistoricEntry>, StoreError>;

    /// All current entries as they were at one moment.
    async fn snapshot(&self) -> Result<Snapshot, StoreError>;

    /// The revision, which grows with every change by anybody, seen within about a second. After a
    /// time without the database, the receiver is notified even where nothing changed.
    fn changes(&self) -> watch::Receiver<u64>;
}

impl dyn Catalog {
    /// Creates or changes an entry.
    pub async fn put(&self, entry: Entry) -> Result<Put, StoreError> {
        match self.change(vec![Write::Put(entry)], None).await? {
            Changed::Done(done) => match done.first() {
                Some(Done::Put(put)) => Ok(*put),
                _ => Err(StoreError::Failed("a change without an answer".to_owned())),
            },
            Changed::Overtaken => Err(StoreError::Failed("overtaken without a race".to_owned())),
        }
    }

    /// Whether there was one.
    pub async fn delete(&self, key: &EntryKey) -> Result<bool, StoreError> {
        let changed = self.change(vec![Write::Delete(key.clone())], None).await?;
        Ok(matches!(changed, Changed::Done(done) if done.first() == Some(&Done::Deleted(true))))
    }
}

/// Sorts by tenant, kind, identifier.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryKey {
    /// 1 to 128 of `A-Z a-z 0-9 . _ -`.
    pub tenant: String,
    /// Such as `provider` or `action_type`: 1 to 32 of `a-z 0-9 _`.
    pub kind: String,
    /// 1 to 64 of `A-Z a-z 0-9 . _ -`.
    pub identifier: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub key: EntryKey,
    /// From 1; each change is a new one.
    pub version: u32,
    pub enabled: bool,
    /// What it is of, where its kind knows types: 1 to 128 of `A-Z a-z 0-9 . _ -`.
    pub of_type: Option<String>,
    /// By language code, such as `eng-GB`.
    pub texts: BTreeMap<String, LocalText>,
    /// At most 1 MiB as JSON.
    pub document: Value,
    /// By the database's clock.
    pub created_at: Timestamp,
    /// By the database's clock.
    pub updated_at: Timestamp,
}

/// What people of one language read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LocalText {
    /// 1 to 190 characters.
    pub name: String,
    /// At most 4,000 characters.
    pub description: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct HistoricEntry {
    /// `updated_at` is when this version came.
    pub entry: Entry,
    /// When the entry was deleted in this version.
    pub deleted_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    pub revision: u64,
    /// Sorted by key.
    pub entries: Vec<Entry>,
    /// What could not be read; it is in force for nobody.
    pub skipped: Vec<Skipped>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    pub key: EntryKey,
    pub problem: String,
}

impl EntryKey {
    pub fn new(
        tenant: impl Into<String>,
        kind: impl Into<String>,
        identifier: impl Into<String>,
    ) -> Self {
        Self { tenant: tenant.into(), kind: kind.into(), identifier: identifier.into() }
    }
}

impl fmt::Display for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} of tenant {}", self.kind, self.identifier, self.tenant)
    }
}

impl Entry {
    /// An enabled one without names; versions and times are the catalog's.
    pub fn new(key: EntryKey, document: Value) -> Self {
        let now = Timestamp::now();
        Self {
            key,
            version: 0,
            enabled: true,
            of_type: None,
            texts: BTreeMap::new(),
            document,
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether the catalog would take it.
    pub fn check(&self) -> Result<(), StoreError> {
        crate::catalog::check_entry(self).map(drop)
    }

    /// Whether a put of one over the other would change nothing.
    pub fn is_same(&self, other: &Self) -> bool {
        self.key == other.key
            && self.enabled == other.enabled
            && self.of_type == other.of_type
            && self.texts == other.texts
            && self.document == other.document
    }
}
