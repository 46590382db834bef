use serde_json::json;

use super::{check_entry, check_query};
use crate::port::{Criterion, Entry, EntryKey, LocalText, Query};

fn entry() -> Entry {
    Entry::new(EntryKey::new("default", "provider", "openai"), json!({}))
}

fn named(language: &str, name: &str) -> Entry {
    let text = LocalText { name: name.to_owned(), description: None };
    Entry { texts: [(language.to_owned(), text)].into(), ..entry() }
}

fn keyed(tenant: &str, kind: &str, identifier: &str) -> Entry {
    Entry { key: EntryKey::new(tenant, kind, identifier), ..entry() }
}

#[test]
fn what_fits() {
    let longest = "ä".repeat(190);
    for good in [
        entry(),
        named("eng-GB", &longest),
        keyed("acme", "action_type", &"x".repeat(64)),
        Entry { of_type: Some("refine_text".into()), ..entry() },
    ] {
        assert_eq!(check_entry(&good), Ok("{}".to_owned()));
    }
}

#[test]
fn what_does_not() {
    for (text, bad) in [
        ("identifier \"xxxxxxxxxx", keyed("a", "b", &"x".repeat(65))),
        ("identifier \"a b\" does not fit", keyed("a", "b", "a b")),
        ("kind \"A\" does not fit", keyed("a", "A", "c")),
        ("tenant \"\" does not fit", keyed("", "b", "c")),
        (
            "name in eng-GB has 191 characters, and at most 190 fit",
            named("eng-GB", &"ä".repeat(191)),
        ),
        ("name in eng-GB is empty", named("eng-GB", " ")),
        ("name in eng-GB has a control character", named("eng-GB", "a\0b")),
        ("language \"\" does not fit", named("", "x")),
        ("of_type \"?\" does not fit", Entry { of_type: Some("?".into()), ..entry() }),
        ("document has 1048600 bytes", Entry { document: json!("x".repeat(1_048_598)), ..entry() }),
    ] {
        let error = check_entry(&bad).unwrap_err().to_string();
        assert!(error.starts_with(text), "{error}");
    }
}

#[test]
fn searches_have_bounds() {
    let query = |criterion| Query { criterion, ..Query::default() };
    let deep = (0..8).fold(Criterion::Enabled(true), |inner, _| Criterion::All(vec![inner]));
    let wide = Criterion::Any(vec![Criterion::Enabled(true); 64]);
    for criterion in [deep, wide] {
        let error = check_query(&query(criterion)).unwrap_err().to_string();
        assert!(error.contains("too complicated"), "{error}");
    }
    assert!(check_query(&query(Criterion::Any(vec![Criterion::Enabled(true); 63]))).is_ok());
    assert!(check_query(&Query { limit: 0, ..Query::default() }).is_err());
    assert!(check_query(&Query { offset: 1_000_001, ..Query::default() }).is_err());
}
