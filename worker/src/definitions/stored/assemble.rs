//! From a snapshot of the catalog to what jobs can name: each entry by itself, then all together.

use std::collections::{BTreeSet, HashMap};

use actionfleet_proto::{
    Timestamp,
    definition::{DefinitionKind, Problem},
};
use actionfleet_store::{DEFAULT_TENANT, Entry, EntryKey, Skipped, Snapshot};

use super::{
    super::{
        Catalogs, Finding, Place,
        catalog::{Item, Origin},
        catalogs::Definitions,
        compiled::Compiled,
        decode::{Decoded, add_unsaid, decode},
        known::Known,
    },
    entry::{document_of, misplaced},
};

/// The good version of an entry.
#[derive(Debug, Clone)]
pub(super) struct Good {
    created_at: Timestamp,
    updated_at: Timestamp,
    version: u32,
    compiled: Compiled,
    enabled: bool,
}

/// What came of a snapshot.
#[derive(Debug)]
pub(super) struct Assembled {
    pub(super) catalogs: Catalogs,
    pub(super) findings: Vec<Finding>,
    pub(super) good: HashMap<EntryKey, Good>,
}

/// What is wrong with an entry is found, and its version in `previous`, if any, stays in force.
pub(super) fn assemble(
    snapshot: Snapshot,
    previous: &HashMap<EntryKey, Good>,
    handlers: &[String],
) -> Assembled {
    let Snapshot { revision, entries, skipped } = snapshot;
    let mut good = HashMap::with_capacity(entries.len());
    let (mut findings, mut broken) = (Vec::new(), Vec::new());
    for entry in entries {
        let before = previous.get(&entry.key);
        if let Some(same) = before.filter(|good| good.is_of(&entry)) {
            good.insert(entry.key, same.clone());
            continue;
        }
        match Good::new(&entry) {
            Ok(version) => {
                good.insert(entry.key, version);
            }
            Err(problems) => {
                findings.extend(problems.into_iter().map(|problem| finding(&entry.key, problem)));
                // switched off is switched off, whatever else is wrong
                let last = before.map(|last| Good { enabled: entry.enabled, ..last.clone() });
                good.extend(last.map(|last| (entry.key.clone(), last)));
                broken.push(entry.key);
            }
        }
    }
    for Skipped { key, problem } in skipped {
        findings.push(finding(&key, Problem::new(".", problem)));
        good.extend(previous.get(&key).map(|last| (key.clone(), last.clone())));
        broken.push(key);
    }
    findings.extend(drop_doubles(&mut good));
    findings.extend(dangling(&good, handlers));
    findings.sort_by(|a, b| a.place.cmp(&b.place));
    let mut tenants: HashMap<String, Definitions> = HashMap::new();
    for (key, version) in &good {
        tenants.entry(key.tenant.clone()).or_default().items.push(version.item(key));
    }
    for key in broken.into_iter().filter(|key| !good.contains_key(key)) {
        let kind = DefinitionKind::ALL.into_iter().find(|kind| kind.as_str() == key.kind);
        let broken = kind.map(|kind| (kind, key.identifier));
        tenants.entry(key.tenant).or_default().broken.extend(broken);
    }
    Assembled { catalogs: Catalogs::by_tenant(tenants, revision), findings, good }
}

fn finding(key: &EntryKey, Problem { field, problem }: Problem) -> Finding {
    Finding { place: Place::Entry(key.clone()), field, problem }
}

/// Everything that is wrong with an entry by itself, or what jobs need of it.
pub(super) fn compile(entry: &Entry) -> Result<Compiled, Vec<Problem>> {
    if let Some(name) = misplaced(entry) {
        let problem = "does not belong into the document of an entry, which has it besides";
        return Err(vec![Problem::new(name, problem)]);
    }
    let Decoded { definition, mut problems } = decode(document_of(entry));
    match definition.map(|definition| Compiled::new(definition, &entry.key.tenant)) {
        Some(Ok(compiled)) if problems.is_empty() => return Ok(compiled),
        Some(Err(more)) => add_unsaid(&mut problems, more),
        Some(Ok(_)) | None => {}
    }
    Err(problems)
}

impl Good {
    fn new(entry: &Entry) -> Result<Self, Vec<Problem>> {
        Ok(Self {
            created_at: entry.created_at,
            updated_at: entry.updated_at,
            version: entry.version,
            compiled: compile(entry)?,
            enabled: entry.enabled,
        })
    }

    /// Versions count on over a deletion, so that two of them never share a number.
    fn is_of(&self, entry: &Entry) -> bool {
        self.version == entry.version && self.updated_at == entry.updated_at
    }

    fn item(&self, key: &EntryKey) -> Item {
        let origin = Some(Origin { key: key.clone(), version: self.version });
        Item { compiled: self.compiled.clone(), enabled: self.enabled, origin }
    }
}

/// Jobs name action types and HTTP actions alike: of two, the one stays that was there first.
fn drop_doubles(good: &mut HashMap<EntryKey, Good>) -> Vec<Finding> {
    let http = good.keys().filter(|key| key.kind == DefinitionKind::HttpAction.as_str());
    let doubles = http.filter_map(|http| {
        let kind = DefinitionKind::ActionType.as_str().to_owned();
        let typed = EntryKey { kind, ..http.clone() };
        let typed_first = good.get(&typed)?.created_at <= good.get(http)?.created_at;
        Some(if typed_first { (http.clone(), typed) } else { (typed, http.clone()) })
    });
    let doubles: Vec<(EntryKey, EntryKey)> = doubles.collect();
    let dropped = doubles.into_iter().map(|(later, first)| {
        good.remove(&later);
        let problem = format!("is taken by {first}; delete one of them");
        finding(&later, Problem::new("identifier", problem))
    });
    dropped.collect()
}

/// What action types name and is not there. They stay in force: their jobs are told so.
fn dangling(good: &HashMap<EntryKey, Good>, handlers: &[String]) -> Vec<Finding> {
    let mut providers: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    for (key, version) in good {
        if matches!(version.compiled, Compiled::Provider(_)) {
            providers.entry(&key.tenant).or_default().insert(&key.identifier);
        }
    }
    let shared = Known {
        providers: providers.remove(DEFAULT_TENANT).unwrap_or_default(),
        handlers: handlers.iter().map(String::as_str).collect(),
        shared: None,
    };
    let own = |providers| Known { providers, shared: Some(&shared), ..Known::default() };
    let tenants: HashMap<&str, Known<'_>> =
        providers.into_iter().map(|(tenant, providers)| (tenant, own(providers))).collect();
    let mut findings = Vec::new();
    for (key, version) in good {
        let Compiled::ActionType(action_type) = &version.compiled else { continue };
        let known = tenants.get(&*key.tenant).unwrap_or(&shared);
        let problems = known.problems(&action_type.definition).into_iter();
        findings.extend(problems.map(|problem| finding(key, problem)));
    }
    findings
}
