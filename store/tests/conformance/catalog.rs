use std::{collections::BTreeMap, time::Duration};

use actionfleet_store::{
    Catalog, Changed, Done, Entry, EntryKey, LocalText, Put, PutOutcome, Query, StoreError, Write,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::place::Place;

pub fn key(identifier: &str) -> EntryKey {
    EntryKey::new("default", "action_type", identifier)
}

pub fn named(name: &str) -> BTreeMap<String, LocalText> {
    let text = LocalText { name: name.into(), description: None };
    [("eng-GB".to_owned(), text)].into()
}

fn put(outcome: PutOutcome, version: u32) -> Put {
    Put { outcome, version }
}

pub async fn many_changes_are_made_together_or_not_at_all(place: &Place) {
    let catalog = place.open().await.catalog;
    let entry =
        |name: &str, n: u32| Entry { texts: named(name), ..Entry::new(key(name), json!({"n": n})) };
    for (name, n) in [("changed", 1), ("same", 1), ("gone", 1), ("again", 1)] {
        catalog.put(entry(name, n)).await.unwrap();
    }
    assert!(catalog.delete(&key("again")).await.unwrap());
    let before = catalog.snapshot().await.unwrap().revision;
    let writes = vec![
        Write::Put(entry("changed", 2)),
        Write::Delete(key("gone")),
        Write::Put(entry("same", 1)),
        Write::Put(entry("new", 1)),
        Write::Delete(key("unknown")),
        Write::Put(entry("again", 1)),
    ];
    let done = [
        Done::Put(put(PutOutcome::Updated, 2)),
        Done::Deleted(true),
        Done::Put(put(PutOutcome::Unchanged, 1)),
        Done::Put(put(PutOutcome::Created, 1)),
        Done::Deleted(false),
        Done::Put(put(PutOutcome::Created, 2)),
    ];
    let changed = catalog.change(writes.clone(), None).await.unwrap();
    assert_eq!(changed, Changed::Done(done.into()));
    let now = catalog.snapshot().await.unwrap();
    assert_eq!(now.revision, before + 1, "one change for whoever follows");
    let names: Vec<_> = now.entries.iter().map(|entry| entry.key.identifier.as_str()).collect();
    assert_eq!(names, ["again", "changed", "new", "same"]);
    assert!(catalog.history(&key("gone")).await.unwrap()[0].deleted_at.is_some());
    let found = catalog.find(&Query::default()).await.unwrap();
    assert!(found.entries.iter().all(|entry| entry.texts["eng-GB"].name == entry.key.identifier));

    // nothing of what holds one that does not fit, or one of them twice
    let long = Entry { texts: named(&"x".repeat(191)), ..entry("bad", 1) };
    let twice = vec![Write::Put(entry("changed", 3)), Write::Delete(key("changed"))];
    for writes in [vec![Write::Put(entry("changed", 3)), Write::Put(long)], twice] {
        let error = catalog.change(writes, None).await.unwrap_err();
        assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
    }
    assert_eq!(catalog.snapshot().await.unwrap().revision, before + 1);
    // what changes nothing is none
    let nothing = vec![Write::Put(entry("same", 1)), Write::Delete(key("unknown"))];
    catalog.change(nothing, None).await.unwrap();
    assert_eq!(catalog.change(Vec::new(), None).await.unwrap(), Changed::Done(Vec::new()));
    assert_eq!(catalog.snapshot().await.unwrap().revision, before + 1);
}

pub async fn whoever_plans_on_an_old_state_is_told(place: &Place) {
    let catalog = place.open().await.catalog;
    let write = |n: u32| vec![Write::Put(Entry::new(key("a"), json!({"n": n})))];
    let at = catalog.snapshot().await.unwrap().revision;
    assert!(matches!(catalog.change(write(1), Some(at)).await.unwrap(), Changed::Done(_)));
    assert_eq!(catalog.change(write(2), Some(at)).await.unwrap(), Changed::Overtaken);
    let now = catalog.get(&key("a"), None).await.unwrap().unwrap();
    assert_eq!((now.version, &now.document), (1, &json!({"n": 1})));

    // of many that plan on one state, one wins
    let at = catalog.snapshot().await.unwrap().revision;
    let racing = (10..20).map(|n| catalog.change(write(n), Some(at)));
    let ended = futures::future::join_all(racing).await;
    let won = ended.iter().filter(|ended| matches!(ended, Ok(Changed::Done(_)))).count();
    let overtaken = ended.iter().filter(|ended| **ended == Ok(Changed::Overtaken)).count();
    assert_eq!((won, overtaken), (1, 9));
}

pub async fn each_change_is_a_version(place: &Place) {
    let catalog = place.open().await.catalog;
    let first = Entry::new(key("refine_text"), json!({"b": 1, "a": [1.5, null, "\u{0}ü"]}));
    assert_eq!(catalog.put(first.clone()).await.unwrap(), put(PutOutcome::Created, 1));
    assert_eq!(catalog.put(first.clone()).await.unwrap(), put(PutOutcome::Unchanged, 1));
    let described = LocalText { name: "Refine".into(), description: Some("Better.\n\0".into()) };
    let mut second = first.clone();
    second.texts.insert("eng-GB".into(), described);
    assert_eq!(catalog.put(second.clone()).await.unwrap(), put(PutOutcome::Updated, 2));
    let third = Entry { enabled: false, of_type: Some("echo".into()), ..second.clone() };
    assert_eq!(catalog.put(third.clone()).await.unwrap(), put(PutOutcome::Updated, 3));
    assert_eq!(catalog.put(third.clone()).await.unwrap(), put(PutOutcome::Unchanged, 3));

    let now = catalog.get(&first.key, None).await.unwrap().unwrap();
    assert!(now.is_same(&third), "{now:?}");
    assert_eq!(now.version, 3);
    assert!(now.updated_at >= now.created_at);
    let order: Vec<_> = now.document.as_object().unwrap().keys().collect();
    assert_eq!(order, ["b", "a"]);
    for (version, entry) in [(1, &first), (2, &second), (3, &third)] {
        let kept = catalog.get(&first.key, Some(version)).await.unwrap().unwrap();
        assert!(kept.is_same(entry) && kept.version == version, "{kept:?}");
    }
    assert_eq!(catalog.get(&first.key, Some(4)).await.unwrap(), None);
    assert_eq!(catalog.get(&key("other"), None).await.unwrap(), None);
    let other = EntryKey { tenant: "acme".into(), ..first.key.clone() };
    assert_eq!(catalog.get(&other, None).await.unwrap(), None, "no fallback");
}

pub async fn what_was_deleted_is_remembered(place: &Place) {
    let catalog = place.open().await.catalog;
    let entry = Entry::new(key("gone"), json!(1));
    assert!(!catalog.delete(&entry.key).await.unwrap());
    catalog.put(entry.clone()).await.unwrap();
    catalog.put(Entry { document: json!(2), ..entry.clone() }).await.unwrap();
    assert!(catalog.delete(&entry.key).await.unwrap());
    assert!(!catalog.delete(&entry.key).await.unwrap());
    assert_eq!(catalog.get(&entry.key, None).await.unwrap(), None);
    let pinned = catalog.get(&entry.key, Some(1)).await.unwrap().unwrap();
    assert_eq!(pinned.document, json!(1));

    let again = catalog.put(entry.clone()).await.unwrap();
    assert_eq!(again, put(PutOutcome::Created, 3));
    let history = catalog.history(&entry.key).await.unwrap();
    let told: Vec<_> = history
        .iter()
        .map(|it| (it.entry.version, it.entry.document.clone(), it.deleted_at.is_some()))
        .collect();
    assert_eq!(told, [(3, json!(1), false), (2, json!(2), true), (1, json!(1), false)]);
    assert_eq!(catalog.history(&key("never")).await.unwrap(), []);
}

pub async fn a_snapshot_is_everything_at_once(place: &Place) {
    let catalog = place.open().await.catalog;
    let empty = catalog.snapshot().await.unwrap();
    assert_eq!((empty.revision, empty.entries.len(), empty.skipped.len()), (0, 0, 0));
    for (tenant, identifier) in [("default", "b"), ("acme", "a"), ("default", "a")] {
        let key = EntryKey::new(tenant, "provider", identifier);
        catalog.put(Entry::new(key, json!({}))).await.unwrap();
    }
    let all = catalog.snapshot().await.unwrap();
    let keys: Vec<_> =
        all.entries.iter().map(|it| (&*it.key.tenant, &*it.key.identifier)).collect();
    assert_eq!(keys, [("acme", "a"), ("default", "a"), ("default", "b")]);
    assert_eq!(all.revision, 3);
    catalog.put(all.entries[0].clone()).await.unwrap();
    assert_eq!(catalog.snapshot().await.unwrap().revision, 3, "nothing changed");
    catalog.delete(&all.entries[0].key).await.unwrap();
    assert_eq!(catalog.snapshot().await.unwrap().revision, 4);
}

pub async fn changes_are_seen_everywhere_soon(place: &Place) {
    let (here, there) = (place.open().await, place.open().await);
    let mut changes = there.catalog.changes();
    let own = here.catalog.changes();
    changes.borrow_and_update();
    for number in 1..4_u64 {
        here.catalog.put(Entry::new(key("live"), json!(number))).await.unwrap();
        let seen = timeout(Duration::from_secs(5), changes.wait_for(|seen| *seen == number));
        seen.await.expect("the change is seen").unwrap();
        let entry = there.catalog.snapshot().await.unwrap().entries.remove(0);
        assert_eq!(entry.document, json!(number));
    }
    let mut own = own;
    let seen = timeout(Duration::from_secs(5), own.wait_for(|seen| *seen == 3));
    seen.await.expect("the own change is seen").unwrap();
    assert_eq!(*place.open().await.catalog.changes().borrow(), 3, "after a restart");
}

pub async fn changes_at_once_are_all_counted(place: &Place) {
    let (here, there) = (place.open().await.catalog, place.open().await.catalog);
    let puts = (0..40).map(|number| {
        let catalog = if number % 2 == 0 { &here } else { &there };
        catalog.put(Entry::new(key("contended"), json!(number)))
    });
    let puts = futures::future::join_all(puts).await;
    let mut versions: Vec<u32> = puts.into_iter().map(|put| put.unwrap().version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=40).collect::<Vec<_>>());
    assert_eq!(here.snapshot().await.unwrap().revision, 40);
}

pub async fn what_does_not_fit_is_refused(place: &Place) {
    let catalog = place.open().await.catalog;
    let long = Entry::new(key(&"x".repeat(65)), Value::Null);
    let error = catalog.put(long).await.unwrap_err();
    assert!(matches!(error, StoreError::Invalid { field: "identifier", .. }), "{error}");
    let texts = named(&"ü".repeat(191));
    let error = catalog.put(Entry { texts, ..Entry::new(key("x"), json!(1)) }).await.unwrap_err();
    assert!(matches!(error, StoreError::Invalid { field: "name", .. }), "{error}");
    let error = catalog.find(&Query { limit: 0, ..Query::default() }).await.unwrap_err();
    assert!(matches!(error, StoreError::Invalid { field: "limit", .. }), "{error}");
    // as long as can be
    let texts = named(&"ü".repeat(190));
    let entry = Entry { texts, ..Entry::new(key(&"x".repeat(64)), json!(1)) };
    catalog.put(entry).await.unwrap();
}

pub async fn ten_thousand_entries_are_a_snapshot(place: &Place) {
    const MANY: usize = 10_000;
    let catalog = place.open().await.catalog;
    fill(&*catalog, MANY).await;
    let began = std::time::Instant::now();
    let snapshot = catalog.snapshot().await.unwrap();
    let took = began.elapsed();
    assert_eq!(snapshot.entries.len(), MANY);
    // a tenth of it in a release build
    assert!(took < Duration::from_secs(2), "{took:?}");
}

async fn fill(catalog: &dyn Catalog, many: usize) {
    let document = json!({"kind": "http_action", "method": "GET", "url": "https://example.com"});
    let puts = (0..many).map(|number| {
        let entry = Entry::new(key(&format!("entry-{number}")), document.clone());
        Write::Put(Entry { texts: named(&format!("Entry {number}")), ..entry })
    });
    let changed = catalog.change(puts.collect(), None).await.unwrap();
    assert!(matches!(changed, Changed::Done(done) if done.len() == many));
}
