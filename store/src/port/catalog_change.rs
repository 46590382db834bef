//! Changes of the catalog, and what became of them.

use super::catalog::{Entry, EntryKey};

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Creates or changes an entry. What equals the current version changes nothing. Times and
    /// version of the given entry are not read.
    Put(Entry),
    /// Its history stays, and a later `Put` counts on from it. Whether something still refers to it
    /// is for the caller to check.
    Delete(EntryKey),
}

/// What became of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// All are made; of each, in their order.
    Done(Vec<Done>),
    /// Somebody else's change came first; none is made.
    Overtaken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    Put(Put),
    /// Whether there was one.
    Deleted(bool),
}

impl Done {
    /// Whether anything is different now.
    pub fn is_change(&self) -> bool {
        match self {
            Self::Put(put) => put.outcome != PutOutcome::Unchanged,
            Self::Deleted(was_there) => *was_there,
        }
    }
}

impl Write {
    pub fn key(&self) -> &EntryKey {
        match self {
            Self::Put(entry) => &entry.key,
            Self::Delete(key) => key,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Put {
    pub outcome: PutOutcome,
    /// The current version.
    pub version: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutOutcome {
    Created,
    Updated,
    Unchanged,
}
