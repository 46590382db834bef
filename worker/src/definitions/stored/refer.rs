//! What entries of the catalog refer to.

use std::collections::BTreeMap;

use actionfleet_proto::definition::DefinitionKind;
use actionfleet_store::{DEFAULT_TENANT, Entry, EntryKey};

/// A state of the catalog.
pub(super) type State<'a> = BTreeMap<&'a EntryKey, &'a Entry>;

/// An action type, and the provider that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) from: EntryKey,
    pub(super) to: EntryKey,
}

/// References that a change makes lead nowhere. Where a tenant's own provider goes, the one of that
/// name takes its place that is there for all tenants.
pub(super) fn lost(before: &State<'_>, after: &State<'_>) -> Vec<Reference> {
    let lost = after.values().filter_map(|entry| {
        let meant = candidates(entry)?;
        if meant.iter().any(|key| after.contains_key(key)) {
            return None;
        }
        let to = meant.into_iter().find(|key| before.contains_key(key))?;
        Some(Reference { from: entry.key.clone(), to })
    });
    lost.collect()
}

/// The entries that an action type's provider can be, the first that is there.
fn candidates(entry: &Entry) -> Option<[EntryKey; 2]> {
    if entry.key.kind != DefinitionKind::ActionType.as_str() {
        return None;
    }
    let provider = entry.document.get("provider")?.as_str()?;
    let key = |tenant| EntryKey::new(tenant, DefinitionKind::Provider.as_str(), provider);
    Some([key(&*entry.key.tenant), key(DEFAULT_TENANT)])
}
