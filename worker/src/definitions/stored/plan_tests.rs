use actionfleet_proto::definition::Definition;
use actionfleet_store::{Entry, EntryKey};
use serde_json::{Value, json};

use super::{
    super::{Loaded, Referable, load},
    tests::{action, action_type, catalog, provider},
    *,
};

/// As a file has it.
fn definition(document: &Value) -> Definition {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.json"), document.to_string()).unwrap();
    let referable = Referable { providers: vec!["p".into()], ..Referable::default() };
    let Loaded { mut definitions, findings, .. } = load(folder.path(), &referable).unwrap();
    assert!(findings.is_empty(), "{findings:?}");
    definitions.pop().unwrap()
}

async fn snapshot(entries: Vec<Entry>) -> actionfleet_store::Snapshot {
    let folder = tempfile::tempdir().unwrap();
    let catalog = catalog(folder.path()).await;
    for entry in entries {
        catalog.put(entry).await.unwrap();
    }
    catalog.snapshot().await.unwrap()
}

#[test]
fn a_definition_comes_back_as_it_was() {
    let document = json!({
        "kind": "http_action", "identifier": "a", "names": {"eng-GB": "A", "deu-DE": "Ä"},
        "descriptions": {"deu-DE": "Tut etwas."}, "enabled": false, "method": "POST",
        "url": "https://h.example/{{ x }}", "body": {"n": 1.5, "z": [], "a": "{{ x }}"},
        "retry": {"max_attempts": 3}, "tenants": ["acme"],
    });
    let entry = entry_of(&definition(&document), "acme", false);
    assert_eq!(entry.key, EntryKey::new("acme", "http_action", "a"));
    assert_eq!(entry.texts["deu-DE"].description.as_deref(), Some("Tut etwas."));
    assert_eq!(document_of(&entry), document);
    assert!(entry.document.get("names").is_none() && entry.document.get("enabled").is_none());
}

#[tokio::test]
async fn a_plan_compares_and_keeps_an_order() {
    let entries = vec![
        provider("default", "old"),
        action("default", "gone", "1"),
        action("default", "same", "1"),
        action("acme", "theirs", "1"),
    ];
    let snapshot = snapshot(entries).await;
    let definitions = vec![
        definition(&json!({"kind": "http_action", "identifier": "same", "method": "GET",
                          "url": "https://h.example/1"})),
        definition(&json!({"kind": "action_type", "identifier": "t", "input": "text",
                          "output": "text", "provider": "p"})),
        definition(&json!({"kind": "provider", "identifier": "p", "models": {"m": {}},
                          "base_url": "https://h.example", "default_model": "m"})),
    ];
    let wish = Wish { tenant: "default", definitions, delete: Deletion::Rest };
    let plan = plan(&wish, &snapshot).unwrap();
    let shown: Vec<_> = plan
        .changes
        .iter()
        .map(|change| match change {
            Change::Create(entry) => format!("+{}", entry.key.identifier),
            Change::Update { after, .. } => format!("~{}", after.key.identifier),
            Change::Delete(entry) => format!("-{}", entry.key.identifier),
        })
        .collect();
    assert_eq!(
        (shown, plan.unchanged),
        (["+p", "+t", "-gone", "-old"].map(String::from).into(), 1)
    );
}

#[tokio::test]
async fn nothing_is_taken_away_that_is_named() {
    let entries = vec![
        provider("default", "p"),
        provider("acme", "p"),
        provider("default", "q"),
        action_type("acme", "t", "p"),
        action_type("acme", "u", "q"),
        action_type("default", "dangling", "nowhere"),
    ];
    let snapshot = snapshot(entries).await;
    let delete = |tenant: &str, identifier: &str| {
        let key = EntryKey::new(tenant, "provider", identifier);
        let wish = Wish { tenant, definitions: Vec::new(), delete: Deletion::This(&key) };
        plan(&wish, &snapshot).map(|plan| plan.changes.len()).map_err(|findings| {
            findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        })
    };
    // one of the same name is there for all
    assert_eq!(delete("acme", "p"), Ok(1));
    assert_eq!(delete("default", "p"), Ok(1));
    assert_eq!(
        delete("default", "q"),
        Err(
            "provider q of tenant default: .: is named by action_type u of tenant acme; change or \
             delete that first"
                .to_owned()
        )
    );
    assert_eq!(delete("default", "unknown"), Ok(0));
}
