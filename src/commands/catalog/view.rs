//! How entries and their changes look.

use actionfleet_store::{Entry, EntryKey, HistoricEntry};
use actionfleet_worker::definitions::stored::{Change, Plan, document_of};
use serde_json::{Value, json};

use super::difference::{Difference, differences};
use crate::output::table;

/// Characters of a value that a line shows.
const SHOWN: usize = 60;

/// For programs, and for people.
pub(super) struct View {
    pub(super) value: Value,
    pub(super) text: String,
}

pub(super) fn summary(entry: &Entry) -> Value {
    json!({
        "tenant": entry.key.tenant,
        "kind": entry.key.kind,
        "identifier": entry.key.identifier,
        "version": entry.version,
        "enabled": entry.enabled,
        "names": entry.texts.iter().map(|(code, text)| (code, &text.name))
            .collect::<std::collections::BTreeMap<_, _>>(),
        "created_at": entry.created_at,
        "updated_at": entry.updated_at,
    })
}

pub(super) fn whole(entry: &Entry) -> Value {
    let mut whole = summary(entry);
    if let Value::Object(fields) = &mut whole {
        fields.insert("definition".to_owned(), document_of(entry));
    }
    whole
}

pub(super) fn list(entries: &[Entry], language: &str) -> String {
    if entries.is_empty() {
        return "no definitions".to_owned();
    }
    let head = ["KIND", "IDENTIFIER", "TENANT", "VERSION", "ENABLED", "NAME", "UPDATED"];
    table(head, entries.iter().map(|entry| row(entry, language)))
}

/// The name in the language, or else in any.
fn row(entry: &Entry, language: &str) -> [String; 7] {
    let text = entry.texts.get(language).or_else(|| entry.texts.values().next());
    [
        entry.key.kind.clone(),
        entry.key.identifier.clone(),
        entry.key.tenant.clone(),
        entry.version.to_string(),
        yes_or_no(entry.enabled),
        text.map_or_else(|| "-".to_owned(), |text| text.name.clone()),
        entry.updated_at.to_string(),
    ]
}

fn yes_or_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

/// For people: the row, and the definition as a file has it.
pub(super) fn page(entry: &Entry) -> String {
    let document = serde_json::to_string_pretty(&document_of(entry)).unwrap_or_default();
    format!("{}\n\n{document}", list(std::slice::from_ref(entry), "eng-GB"))
}

pub(super) fn history(versions: &[HistoricEntry]) -> View {
    let older = versions.iter().skip(1).map(Some).chain([None]);
    let changed: Vec<Vec<Difference>> = versions
        .iter()
        .zip(older)
        .map(|(new, old)| {
            old.map_or_else(Vec::new, |old| {
                differences(&document_of(&old.entry), &document_of(&new.entry))
            })
        })
        .collect();
    let values =
        versions.iter().zip(&changed).map(|(HistoricEntry { entry, deleted_at }, changed)| {
            json!({
                "version": entry.version, "enabled": entry.enabled, "since": entry.updated_at,
                "deleted_at": deleted_at, "changes": changed.iter().map(value).collect::<Vec<_>>(),
                "definition": document_of(entry),
            })
        });
    let rows =
        versions.iter().zip(&changed).map(|(HistoricEntry { entry, deleted_at }, changed)| {
            let fields: Vec<&str> = changed.iter().map(|change| change.field.as_str()).collect();
            [
                entry.version.to_string(),
                yes_or_no(entry.enabled),
                entry.updated_at.to_string(),
                deleted_at.map_or_else(|| "-".to_owned(), |at| at.to_string()),
                if fields.is_empty() { "-".to_owned() } else { fields.join(", ") },
            ]
        });
    let text = table(["VERSION", "ENABLED", "SINCE", "DELETED", "CHANGED"], rows);
    View { value: values.collect(), text }
}

pub(super) fn plan(plan: &Plan, dry_run: bool) -> View {
    let count = |wanted: fn(&Change) -> bool| plan.changes.iter().filter(|c| wanted(c)).count();
    let created = count(|change| matches!(change, Change::Create(_)));
    let updated = count(|change| matches!(change, Change::Update { .. }));
    let deleted = count(|change| matches!(change, Change::Delete(_)));
    let unchanged = plan.unchanged;
    let head = if dry_run { "would be: " } else { "" };
    let sum = format!(
        "{head}{created} created, {updated} changed, {deleted} deleted, {unchanged} as they are"
    );
    let text = plan.changes.iter().map(lines).chain([sum]).collect();
    let value = json!({
        "applied": !dry_run, "created": created, "updated": updated, "deleted": deleted,
        "unchanged": unchanged, "changes": plan.changes.iter().map(change).collect::<Vec<_>>(),
    });
    View { value, text }
}

fn change(change: &Change) -> Value {
    let EntryKey { tenant, kind, identifier } = change.key();
    let (name, fields) = match change {
        Change::Create(_) => ("create", Vec::new()),
        Change::Delete(_) => ("delete", Vec::new()),
        Change::Update { before, after } => {
            ("update", differences(&document_of(before), &document_of(after)))
        }
    };
    let fields: Vec<Value> = fields.iter().map(value).collect();
    json!({
        "change": name, "tenant": tenant, "kind": kind, "identifier": identifier, "fields": fields,
    })
}

fn value(Difference { field, before, after }: &Difference) -> Value {
    json!({"field": field, "before": before, "after": after})
}

fn lines(change: &Change) -> String {
    let EntryKey { kind, identifier, .. } = change.key();
    match change {
        Change::Create(_) => format!("+ {kind} {identifier}\n"),
        Change::Delete(_) => format!("- {kind} {identifier}\n"),
        Change::Update { before, after } => {
            let differ = differences(&document_of(before), &document_of(after));
            let lines = differ.iter().map(|Difference { field, before, after }| {
                format!("    {field}: {} → {}\n", short(before.as_ref()), short(after.as_ref()))
            });
            format!("~ {kind} {identifier}\n{}", lines.collect::<String>())
        }
    }
}

fn short(value: Option<&Value>) -> String {
    let Some(value) = value else { return "nothing".to_owned() };
    let text = value.to_string();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
