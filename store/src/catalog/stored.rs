use std::collections::BTreeMap;

use actionfleet_proto::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    error::StoreError,
    port::{Entry, EntryKey, LocalText, Put, PutOutcome, Skipped, Snapshot},
};

/// An entry as its columns have it.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) key: EntryKey,
    pub(crate) version: i64,
    pub(crate) enabled: bool,
    pub(crate) of_type: Option<String>,
    pub(crate) texts: String,
    pub(crate) document: String,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

/// The columns that a put writes, besides key, version and times.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) enabled: bool,
    pub(crate) of_type: Option<String>,
    pub(crate) texts: String,
    pub(crate) document: String,
    /// By language, without regard to case.
    pub(crate) folded: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct Text {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

impl Stored {
    /// Somebody may have changed it by hand.
    pub(crate) fn read(self) -> Result<Entry, Skipped> {
        let skipped = |problem: String| Skipped { key: self.key.clone(), problem };
        let texts: BTreeMap<String, Text> = serde_json::from_str(&self.texts)
            .map_err(|error| skipped(format!("its texts do not read: {error}")))?;
        let document = serde_json::from_str(&self.document)
            .map_err(|error| skipped(format!("its document does not read: {error}")))?;
        let version = u32::try_from(self.version)
            .map_err(|_| skipped(format!("its version is {}", self.version)))?;
        let text = |Text { name, description }| LocalText { name, description };
        Ok(Entry {
            key: self.key,
            version,
            enabled: self.enabled,
            of_type: self.of_type,
            texts: texts.into_iter().map(|(language, given)| (language, text(given))).collect(),
            document,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }

    /// Where there is no other entry to go on with.
    pub(crate) fn entry(self) -> Result<Entry, StoreError> {
        self.read().map_err(|Skipped { key, problem }| {
            StoreError::Failed(format!("{key}: {problem}; put it again"))
        })
    }
}

impl Written {
    pub(crate) fn new(entry: &Entry, document: String) -> Self {
        let texts: BTreeMap<&String, Text> = entry
            .texts
            .iter()
            .map(|(language, LocalText { name, description })| {
                (language, Text { name: name.clone(), description: description.clone() })
            })
            .collect();
        let folded =
            |(language, text): (&String, &LocalText)| (language.clone(), text.name.to_lowercase());
        Self {
            enabled: entry.enabled,
            of_type: entry.of_type.clone(),
            texts: serde_json::to_string(&texts).unwrap_or_default(),
            document,
            folded: entry.texts.iter().map(folded).collect(),
        }
    }
}

/// What a put over the current entry does; `last` is the newest version in the history, if any.
pub(crate) fn decide(given: &Entry, current: Option<Stored>, last: Option<i64>) -> Put {
    let last = u32::try_from(last.unwrap_or(0)).unwrap_or(u32::MAX);
    let next = last.saturating_add(1);
    match current.map(Stored::read) {
        None => Put { outcome: PutOutcome::Created, version: next },
        Some(Ok(current)) if current.is_same(given) => {
            Put { outcome: PutOutcome::Unchanged, version: current.version }
        }
        // also over one that does not read
        Some(_) => Put { outcome: PutOutcome::Updated, version: next },
    }
}

impl Snapshot {
    /// What reads, and what does not.
    pub(crate) fn of(revision: i64, found: Vec<Stored>) -> Self {
        let mut snapshot =
            Self { revision: u64::try_from(revision).unwrap_or(0), ..Self::default() };
        for stored in found {
            match stored.read() {
                Ok(entry) => snapshot.entries.push(entry),
                Err(skipped) => snapshot.skipped.push(skipped),
            }
        }
        snapshot
    }
}
