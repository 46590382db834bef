//! A definition as an entry of the catalog, and back.

use actionfleet_proto::{
    Map,
    definition::{Definition, Texts},
};
use actionfleet_store::{Entry, EntryKey, LocalText};
use serde_json::{Value, json};

/// Has its own place in an entry, outside the document.
const APART: [&str; 5] = ["kind", "identifier", "names", "descriptions", "enabled"];

/// What a tenant's definition is kept as.
pub fn entry_of(definition: &Definition, tenant: &str, enabled: bool) -> Entry {
    let key = EntryKey::new(tenant, definition.kind().as_str(), definition.identifier());
    let mut document = serde_json::to_value(definition).unwrap_or_default();
    if let Value::Object(fields) = &mut document {
        fields.retain(|name, _| !APART.contains(&name.as_str()));
    }
    let (names, descriptions) = definition.texts();
    let text = |(language, name): (&String, &String)| {
        let description = descriptions.get(language).cloned();
        (language.clone(), LocalText { name: name.clone(), description })
    };
    Entry { enabled, texts: names.iter().map(text).collect(), ..Entry::new(key, document) }
}

/// The entry as a file of definitions has it.
pub fn document_of(entry: &Entry) -> Value {
    let Value::Object(fields) = &entry.document else { return entry.document.clone() };
    let mut document = Map::new();
    document.insert("kind".to_owned(), json!(entry.key.kind));
    document.insert("identifier".to_owned(), json!(entry.key.identifier));
    let mut add = |field: &str, texts: Texts| {
        if !texts.is_empty() {
            document.insert(field.to_owned(), json!(texts));
        }
    };
    let texts = || entry.texts.iter();
    add("names", texts().map(|(language, text)| (language.clone(), text.name.clone())).collect());
    let described = texts().filter_map(|(language, LocalText { description, .. })| {
        Some((language.clone(), description.clone()?))
    });
    add("descriptions", described.collect());
    document.insert("enabled".to_owned(), json!(entry.enabled));
    let rest = fields.iter().filter(|(name, _)| !APART.contains(&name.as_str()));
    document.extend(rest.map(|(name, value)| (name.clone(), value.clone())));
    Value::Object(document)
}

/// What somebody has written into the document that has its own place: it could name another entry.
pub(super) fn misplaced(entry: &Entry) -> Option<&'static str> {
    APART.into_iter().find(|name| entry.document.get(name).is_some())
}
