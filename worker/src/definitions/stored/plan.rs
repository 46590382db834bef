//! What a wish changes in a tenant's part of the catalog.

use std::collections::HashSet;

use actionfleet_proto::definition::{Definition, DefinitionKind, Problem};
use actionfleet_store::{DEFAULT_TENANT, Entry, EntryKey, Snapshot};

use super::{
    super::{Finding, Place, Referable},
    entry::entry_of,
    refer::{State, lost},
};

/// What shall be in the catalog.
#[derive(Debug)]
pub struct Wish<'a> {
    pub tenant: &'a str,
    pub definitions: Vec<Definition>,
    pub delete: Deletion<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion<'a> {
    Nothing,
    /// All that the tenant has besides.
    Rest,
    This(&'a EntryKey),
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Of the catalog that it was made for.
    pub revision: u64,
    /// Providers before what names them, and what is deleted at the end.
    pub changes: Vec<Change>,
    pub unchanged: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    Create(Entry),
    Update { before: Box<Entry>, after: Entry },
    Delete(Entry),
}

/// What a tenant's definitions may name, besides each other.
pub fn referable(snapshot: &Snapshot, tenant: &str, handlers: Vec<String>) -> Referable {
    let is_there = |key: &&EntryKey| key.tenant == tenant || key.tenant == DEFAULT_TENANT;
    let keys = snapshot.entries.iter().map(|entry| &entry.key).filter(is_there);
    let providers = keys.filter(|key| key.kind == DefinitionKind::Provider.as_str());
    Referable { handlers, providers: providers.map(|key| key.identifier.clone()).collect() }
}

/// Compares; or says all that stands in the way, and then nothing may be changed.
pub fn plan(wish: &Wish<'_>, snapshot: &Snapshot) -> Result<Plan, Vec<Finding>> {
    let before: State<'_> = snapshot.entries.iter().map(|entry| (&entry.key, entry)).collect();
    let wanted: Vec<Entry> =
        wish.definitions.iter().map(|given| wanted(given, wish.tenant, &before)).collect();
    let mut after = before.clone();
    after.retain(|key, _| !wish.deletes(key));
    after.extend(wanted.iter().map(|entry| (&entry.key, entry)));

    let findings = [unfit(&wanted), doubles(&wanted, &after), left_behind(&before, &after)];
    let findings = findings.concat();
    if !findings.is_empty() {
        return Err(findings);
    }
    let mut plan = Plan { revision: snapshot.revision, ..Plan::default() };
    for entry in &wanted {
        match before.get(&entry.key).copied() {
            None => plan.changes.push(Change::Create(entry.clone())),
            Some(before) if before.is_same(entry) => plan.unchanged += 1,
            Some(before) => {
                let (before, after) = (Box::new(before.clone()), entry.clone());
                plan.changes.push(Change::Update { before, after });
            }
        }
    }
    let gone = before.iter().filter(|(key, _)| !after.contains_key(*key));
    plan.changes.extend(gone.map(|(_, entry)| Change::Delete((*entry).clone())));
    plan.changes.sort_by_key(Change::rank);
    Ok(plan)
}

/// For definitions that stand alone: those that nothing stands in the way of, and what stands in the
/// way of the others.
pub(in super::super) fn plan_what_fits(
    mut definitions: Vec<Definition>,
    tenant: &str,
    snapshot: &Snapshot,
) -> (Plan, Vec<Finding>) {
    let mut refused = Vec::new();
    loop {
        let wish = Wish { tenant, definitions, delete: Deletion::Nothing };
        let findings = match plan(&wish, snapshot) {
            Ok(plan) => return (plan, refused),
            Err(findings) => findings,
        };
        let Wish { definitions: mut rest, .. } = wish;
        let places: HashSet<&Place> = findings.iter().map(|finding| &finding.place).collect();
        let is_refused =
            |definition: &Definition| places.contains(&Place::Entry(key_of(definition, tenant)));
        let before = rest.len();
        rest.retain(|definition| !is_refused(definition));
        refused.extend(findings);
        if rest.len() == before {
            return (Plan::default(), refused);
        }
        definitions = rest;
    }
}

/// What does not say whether it is enabled stays as it is.
fn wanted(definition: &Definition, tenant: &str, before: &State<'_>) -> Entry {
    let key = key_of(definition, tenant);
    let is_enabled = before.get(&key).is_none_or(|before| before.enabled);
    entry_of(definition, tenant, definition.enabled().unwrap_or(is_enabled))
}

fn key_of(definition: &Definition, tenant: &str) -> EntryKey {
    EntryKey::new(tenant, definition.kind().as_str(), definition.identifier())
}

fn unfit(wanted: &[Entry]) -> Vec<Finding> {
    let problems = wanted.iter().filter_map(|entry| Some((entry, entry.check().err()?)));
    problems.map(|(entry, error)| finding(&entry.key, ".", error.to_string())).collect()
}

/// Jobs name action types and HTTP actions alike.
fn doubles(wanted: &[Entry], after: &State<'_>) -> Vec<Finding> {
    let kinds = [DefinitionKind::ActionType.as_str(), DefinitionKind::HttpAction.as_str()];
    let doubles =
        wanted.iter().filter(|entry| kinds.contains(&&*entry.key.kind)).filter_map(|entry| {
            let other = kinds.into_iter().find(|kind| *kind != entry.key.kind)?;
            let other = EntryKey { kind: other.to_owned(), ..entry.key.clone() };
            let problem =
                format!("is taken by {other}; delete that first, or take another identifier");
            after.contains_key(&other).then(|| finding(&entry.key, "identifier", problem))
        });
    doubles.collect()
}

fn left_behind(before: &State<'_>, after: &State<'_>) -> Vec<Finding> {
    let problems = lost(before, after).into_iter().map(|reference| {
        let problem = format!("is named by {}; change or delete that first", reference.from);
        finding(&reference.to, ".", problem)
    });
    problems.collect()
}

fn finding(key: &EntryKey, field: &str, problem: String) -> Finding {
    let Problem { field, problem } = Problem::new(field, problem);
    Finding { place: Place::Entry(key.clone()), field, problem }
}

impl Wish<'_> {
    fn deletes(&self, key: &EntryKey) -> bool {
        let is_ours = || DefinitionKind::ALL.iter().any(|kind| kind.as_str() == key.kind);
        match self.delete {
            Deletion::Nothing => false,
            Deletion::Rest => key.tenant == self.tenant && is_ours(),
            Deletion::This(unwanted) => key == unwanted,
        }
    }
}

impl Change {
    pub fn key(&self) -> &EntryKey {
        match self {
            Self::Create(entry) | Self::Delete(entry) | Self::Update { after: entry, .. } => {
                &entry.key
            }
        }
    }

    /// Providers come before what names them, and go after it.
    fn rank(&self) -> u8 {
        let is_provider = self.key().kind == DefinitionKind::Provider.as_str();
        match (self, is_provider) {
            (Self::Create(_) | Self::Update { .. }, true) => 0,
            (Self::Create(_) | Self::Update { .. }, false) => 1,
            (Self::Delete(_), false) => 2,
            (Self::Delete(_), true) => 3,
        }
    }
}
