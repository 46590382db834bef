use std::collections::HashSet;

use actionfleet_proto::{
    check_definition_identifier, check_identifier,
    definition::{DESCRIPTION_MAX, LANGUAGES_MAX, check_description, check_language, check_name},
};

use crate::{
    error::StoreError,
    port::{Criterion, Entry, EntryKey, LocalText, Query, SortField, Write},
};

const KIND_MAX: usize = 32;
const DOCUMENT_MAX: usize = 1024 * 1024;
const LIMIT_MAX: u32 = 1000;
const OFFSET_MAX: u32 = 1_000_000;
const CRITERIA_MAX: usize = 64;
const DEPTH_MAX: usize = 8;

pub(crate) fn check_key(key: &EntryKey) -> Result<(), StoreError> {
    let EntryKey { tenant, kind, identifier } = key;
    check_identifier(tenant).map_err(|rule| unfit("tenant", tenant, &rule))?;
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if kind.is_empty() || kind.len() > KIND_MAX || !kind.bytes().all(word) {
        return Err(unfit("kind", kind, &"a kind has 1 to 32 characters of a-z 0-9 _"));
    }
    check_definition_identifier(identifier).map_err(|rule| unfit("identifier", identifier, &rule))
}

/// Yields the documents as they are to be kept, of each entry that is put.
pub(crate) fn check_writes(writes: &[Write]) -> Result<Vec<Option<String>>, StoreError> {
    let mut keys = HashSet::with_capacity(writes.len());
    let document = |write: &Write| match write {
        Write::Put(entry) => check_entry(entry).map(Some),
        Write::Delete(key) => check_key(key).map(|()| None),
    };
    if let Some(twice) = writes.iter().find(|write| !keys.insert(write.key())) {
        let problem = format!("{} is changed twice at once; leave one of them out", twice.key());
        return Err(StoreError::invalid("change", problem));
    }
    writes.iter().map(document).collect()
}

/// Yields the document as it is to be kept.
pub(crate) fn check_entry(entry: &Entry) -> Result<String, StoreError> {
    check_key(&entry.key)?;
    if let Some(of_type) = &entry.of_type {
        check_identifier(of_type).map_err(|rule| unfit("of_type", of_type, &rule))?;
    }
    if entry.texts.len() > LANGUAGES_MAX {
        let problem = format!("are in {} languages; at most {LANGUAGES_MAX}", entry.texts.len());
        return Err(StoreError::invalid("names", problem));
    }
    for (language, text) in &entry.texts {
        check_text(language, text)?;
    }
    let document = serde_json::to_string(&entry.document)
        .map_err(|error| StoreError::invalid("document", format!("is no JSON: {error}")))?;
    if document.len() > DOCUMENT_MAX {
        let problem = format!(
            "has {} bytes as JSON, and at most {DOCUMENT_MAX} fit; split the entry",
            document.len()
        );
        return Err(StoreError::invalid("document", problem));
    }
    Ok(document)
}

fn check_text(language: &str, text: &LocalText) -> Result<(), StoreError> {
    check_code(language)?;
    let of =
        |field, problem: String| StoreError::invalid(field, format!("in {language} {problem}"));
    check_name(&text.name).map_err(|problem| of("name", problem))?;
    let description = text.description.as_deref().map_or(Ok(()), check_description);
    description.map_err(|problem| of("description", problem))
}

fn check_code(language: &str) -> Result<(), StoreError> {
    check_language(language).map_err(|rule| unfit("language", language, &rule))
}

pub(crate) fn check_query(query: &Query) -> Result<(), StoreError> {
    if !(1..=LIMIT_MAX).contains(&query.limit) {
        let problem = format!("is {}; 1 to {LIMIT_MAX} entries fit on a page", query.limit);
        return Err(StoreError::invalid("limit", problem));
    }
    if query.offset > OFFSET_MAX {
        let problem = format!("is {}, and at most {OFFSET_MAX}; narrow the search", query.offset);
        return Err(StoreError::invalid("offset", problem));
    }
    if let SortField::Name { language } = &query.sort.by {
        check_code(language)?;
    }
    let mut criteria = 0;
    check_criterion(&query.criterion, 1, &mut criteria)
}

fn check_criterion(
    criterion: &Criterion,
    depth: usize,
    criteria: &mut usize,
) -> Result<(), StoreError> {
    *criteria = criteria.saturating_add(1);
    if depth > DEPTH_MAX || *criteria > CRITERIA_MAX {
        let problem = format!(
            "is too complicated: at most {CRITERIA_MAX} criteria, {DEPTH_MAX} deep; simplify it"
        );
        return Err(StoreError::invalid("criterion", problem));
    }
    match criterion {
        Criterion::All(parts) | Criterion::Any(parts) => {
            parts.iter().try_for_each(|part| check_criterion(part, depth + 1, criteria))
        }
        Criterion::NameContains { language, text }
        | Criterion::NameStartsWith { language, text } => {
            check_code(language)?;
            check_sought("name", text)
        }
        Criterion::Tenant(text)
        | Criterion::Kind(text)
        | Criterion::Identifier(text)
        | Criterion::Type(text) => check_sought("criterion", text),
        Criterion::Enabled(_) => Ok(()),
    }
}

/// What cannot be there need not fit, only be possible to ask for.
fn check_sought(field: &'static str, text: &str) -> Result<(), StoreError> {
    if text.len() > DESCRIPTION_MAX || text.contains('\0') {
        return Err(unfit(field, text, &"it is too long, or has a NUL character"));
    }
    Ok(())
}

fn unfit(field: &'static str, value: &str, rule: &dyn std::fmt::Display) -> StoreError {
    let shown: String = value.chars().take(40).collect();
    StoreError::invalid(field, format!("{shown:?} does not fit: {rule}"))
}
