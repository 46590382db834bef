use std::{path::PathBuf, sync::Arc, time::Duration};

use actionfleet_proto::definition::DefinitionKind;
use actionfleet_store::{Entry, EntryKey, StoreConfig};
use prometheus::Registry;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{super::*, *};
use crate::handler::ActionDefinition;

/// A catalog in a file, and the definitions of a worker that follows it.
struct Followed {
    folder: tempfile::TempDir,
    catalog: Arc<dyn actionfleet_store::Catalog>,
    definitions: Definitions,
    _following: DropGuard,
}

pub(super) async fn catalog(folder: &std::path::Path) -> Arc<dyn actionfleet_store::Catalog> {
    let url = format!("sqlite:{}", folder.join("store.db").display());
    actionfleet_store::open(StoreConfig::new(url)).await.unwrap().catalog
}

impl Followed {
    async fn new(entries: Vec<Entry>, files: Option<PathBuf>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let catalog = catalog(folder.path()).await;
        for entry in entries {
            catalog.put(entry).await.unwrap();
        }
        let source = Source::Store { catalog: catalog.clone(), folder: files };
        let handlers = vec!["echo".to_owned()];
        let definitions = Definitions::open(source, handlers, &Registry::new()).await.unwrap();
        let cancel = CancellationToken::new();
        let following = (definitions.clone(), cancel.clone());
        tokio::spawn(async move { following.0.follow(following.1).await });
        Self { folder, catalog, definitions, _following: cancel.drop_guard() }
    }

    /// Waits until it holds of what is in force.
    async fn until(&self, holds: impl Fn(&Definitions) -> bool) {
        let mut loads = self.definitions.loads();
        let waiting = async {
            while !holds(&self.definitions) {
                loads.changed().await.unwrap();
            }
        };
        timeout(Duration::from_secs(20), waiting).await.expect("it is seen");
    }
}

fn url(definitions: &Definitions, tenant: &str, action: &str) -> Option<String> {
    Some(definitions.catalog(tenant).http_action(action)?.definition.url.clone())
}

pub(super) fn action(tenant: &str, identifier: &str, path: &str) -> Entry {
    let document = json!({"method": "GET", "url": format!("https://h.example/{path}")});
    Entry::new(EntryKey::new(tenant, "http_action", identifier), document)
}

pub(super) fn action_type(tenant: &str, identifier: &str, provider: &str) -> Entry {
    let document = json!({"input": "text", "output": "text", "provider": provider});
    Entry::new(EntryKey::new(tenant, "action_type", identifier), document)
}

pub(super) fn provider(tenant: &str, identifier: &str) -> Entry {
    let document =
        json!({"base_url": "https://h.example", "default_model": "m", "models": {"m": {}}});
    Entry::new(EntryKey::new(tenant, "provider", identifier), document)
}

#[tokio::test]
async fn changes_come_into_force_and_go() {
    let followed = Followed::new(vec![action("default", "a", "1")], None).await;
    assert_eq!(url(&followed.definitions, "any", "a").unwrap(), "https://h.example/1");

    followed.catalog.put(action("default", "a", "2")).await.unwrap();
    followed.catalog.put(action("acme", "a", "own")).await.unwrap();
    followed.until(|now| url(now, "acme", "a").as_deref() == Some("https://h.example/own")).await;
    assert_eq!(url(&followed.definitions, "any", "a").unwrap(), "https://h.example/2");

    followed.catalog.put(Entry { enabled: false, ..action("acme", "a", "own") }).await.unwrap();
    followed.until(|now| now.catalog("acme").is_action_disabled("a")).await;
    assert!(url(&followed.definitions, "any", "a").is_some());

    followed.catalog.delete(&EntryKey::new("acme", "http_action", "a")).await.unwrap();
    followed.until(|now| url(now, "acme", "a").as_deref() == Some("https://h.example/2")).await;
    followed.catalog.delete(&EntryKey::new("default", "http_action", "a")).await.unwrap();
    followed.until(|now| url(now, "any", "a").is_none()).await;
}

#[tokio::test]
async fn a_bad_entry_is_named_and_the_rest_loads() {
    let bad = Entry { document: json!({"method": "GET"}), ..action("default", "bad", "1") };
    let none = Entry::new(EntryKey::new("default", "action_type", "none"), json!(3));
    let followed = Followed::new(vec![action("default", "a", "1"), bad.clone(), none], None).await;
    let shown: Vec<String> =
        followed.definitions.findings().iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            "action_type none of tenant default: .: is not a definition; a file holds one, as a \
             mapping that starts with `kind`",
            "http_action bad of tenant default: url: is required",
        ]
    );
    assert!(url(&followed.definitions, "any", "a").is_some());

    // one that was good stays as it was
    let key = EntryKey { identifier: "a".into(), ..bad.key.clone() };
    followed.catalog.put(Entry { key, ..bad }).await.unwrap();
    followed.until(|now| now.findings().len() == 3).await;
    assert_eq!(url(&followed.definitions, "any", "a").unwrap(), "https://h.example/1");
    followed.catalog.put(action("default", "a", "2")).await.unwrap();
    followed.until(|now| url(now, "any", "a").as_deref() == Some("https://h.example/2")).await;
}

#[tokio::test]
async fn of_two_actions_of_a_name_the_first_one_stays() {
    let entries = vec![action("default", "a", "1"), action_type("default", "a", "gone")];
    let followed = Followed::new(entries, None).await;
    let shown: Vec<String> =
        followed.definitions.findings().iter().map(ToString::to_string).collect();
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert!(shown[0].contains("is taken by"), "{shown:?}");
    assert!(followed.definitions.catalog("any").action("a").is_some());
}

#[tokio::test]
async fn a_job_gets_the_version_that_it_asks_for() {
    let followed = Followed::new(vec![action("default", "a", "1")], None).await;
    followed.catalog.put(action("default", "a", "2")).await.unwrap();
    followed.until(|now| url(now, "any", "a").as_deref() == Some("https://h.example/2")).await;
    let at = async |action: &'static str, version| {
        let catalog = followed
            .definitions
            .catalog_at(followed.definitions.catalog("any"), action, version)
            .await?;
        Ok(catalog.http_action(action).map(|action| action.definition.url.clone()))
    };
    for version in [1, 2, 1] {
        let found: Result<_, VersionError> = at("a", version).await;
        assert_eq!(found.unwrap().unwrap(), format!("https://h.example/{version}"));
    }
    let unknown = at("a", 3).await.unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "action_version: http_action a of tenant default has no version 3; its current one is 2"
    );
    let built_in = at("refine_text", 1).await.unwrap_err();
    assert!(matches!(built_in, VersionError::NotVersioned(_)), "{built_in}");
}

#[tokio::test]
async fn a_tenants_own_that_is_wrong_is_not_replaced_and_can_be_disabled() {
    let own = Entry { document: json!({"method": "GET"}), ..action("acme", "a", "1") };
    let taken = json!({"identifier": "refine_text", "method": "GET", "url": "https://h.example/"});
    let taken = Entry { document: taken, ..action("acme", "b", "1") };
    let entries = vec![action("default", "a", "all"), own.clone(), taken];
    let followed = Followed::new(entries, None).await;
    assert!(url(&followed.definitions, "any", "a").is_some());
    assert_eq!(url(&followed.definitions, "acme", "a"), None);
    let shown: Vec<String> =
        followed.definitions.findings().iter().map(ToString::to_string).collect();
    assert!(shown[1].starts_with("http_action b of tenant acme: identifier: does not belong"));

    // as a newer program writes it: the last one that this one can use stays until it is disabled
    followed.catalog.put(action("acme", "a", "good")).await.unwrap();
    followed.until(|now| url(now, "acme", "a").is_some()).await;
    followed.catalog.put(own.clone()).await.unwrap();
    followed.until(|now| now.findings().len() == 2).await;
    assert_eq!(url(&followed.definitions, "acme", "a").unwrap(), "https://h.example/good");
    followed.catalog.put(Entry { enabled: false, ..own }).await.unwrap();
    followed.until(|now| now.catalog("acme").is_action_disabled("a")).await;
}

#[tokio::test]
async fn files_are_applied_and_leave_what_they_do_not_say() {
    let files = tempfile::tempdir().unwrap();
    let write = |name: &str, document: Value| {
        std::fs::write(files.path().join(name), document.to_string()).unwrap();
    };
    let file = |path: &str| {
        json!({"kind": "http_action", "identifier": "a", "method": "GET",
               "url": format!("https://h.example/{path}")})
    };
    write("a.json", file("file"));
    write("bad.json", json!({"kind": "http_action"}));
    // names what is in the store alone, and what is nowhere
    let typed = |name: &str, provider: &str| {
        json!({"kind": "action_type", "identifier": name, "input": "text", "output": "text",
               "provider": provider})
    };
    write("t.json", typed("t", "p"));
    write("u.json", typed("u", "q"));
    // taken in the store by an action of the other kind
    write("x.json", typed("x", "p"));
    let disabled = Entry { enabled: false, ..action("default", "a", "before") };
    let entries = vec![disabled, provider("default", "p"), action("default", "x", "1")];
    let followed = Followed::new(entries, Some(files.path().to_owned())).await;

    let key = EntryKey::new("default", "http_action", "a");
    let entry = followed.catalog.get(&key, None).await.unwrap().unwrap();
    assert_eq!((entry.version, entry.enabled), (2, false));
    assert_eq!(entry.document["url"], "https://h.example/file");
    let catalog = followed.definitions.catalog("any");
    assert!(catalog.action("t").is_some() && catalog.action("u").is_none());
    assert!(matches!(catalog.action("x"), Some(ActionDefinition::Http(_))));
    let findings = followed.definitions.findings();
    let shown: Vec<_> = findings.iter().map(|finding| finding.field.as_str()).collect();
    assert_eq!(shown, ["identifier", "method", "url", "provider", "identifier"]);

    // a provider that comes lets the file in that waits for it
    followed.catalog.put(provider("default", "q")).await.unwrap();
    followed.until(|now| now.catalog("any").action("u").is_some()).await;
    // a file that changes is applied, and undoes no change of others to what it does not define
    let t = EntryKey::new("default", DefinitionKind::ActionType.as_str(), "t");
    let mut changed = followed.catalog.get(&t, None).await.unwrap().unwrap();
    changed.document["base_prompt"] = json!("Elsewhere.");
    followed.catalog.put(changed).await.unwrap();
    write(
        "a.json",
        json!({"enabled": true, "kind": "http_action", "identifier": "a",
                           "method": "GET", "url": "https://h.example/again"}),
    );
    followed.until(|now| url(now, "any", "a").as_deref() == Some("https://h.example/again")).await;
    let t = followed.catalog.get(&t, None).await.unwrap().unwrap();
    assert_eq!((t.version, &t.document["base_prompt"]), (2, &json!("Elsewhere.")));
    // what is refused is so until its file is gone
    assert!(followed.definitions.findings().iter().any(|one| one.problem.contains("is taken by")));
    std::fs::remove_file(files.path().join("x.json")).unwrap();
    std::fs::remove_file(files.path().join("bad.json")).unwrap();
    followed.catalog.put(action("default", "other", "1")).await.unwrap();
    followed.until(|now| now.findings().is_empty()).await;
    assert!(followed.folder.path().exists());
}
