//! Each way by which a change becomes known, without the others.

use std::time::Duration;

use actionfleet_local::{Link, Postgres};
use actionfleet_store::{Entry, EntryKey, Store, StoreConfig, open};
use serde_json::json;
use tokio::{sync::watch, time::timeout};

const PATIENCE: Duration = Duration::from_secs(20);
/// Longer than any test waits.
const NEVER: Duration = Duration::from_secs(3600);

async fn database() -> (&'static Postgres, String) {
    let postgres = Postgres::shared().await.unwrap();
    (postgres, postgres.database().await.unwrap())
}

fn polled(url: &str, poll: Duration) -> StoreConfig {
    StoreConfig { poll, ..StoreConfig::new(url) }
}

async fn put(store: &Store) {
    let key = EntryKey::new("default", "provider", "new");
    store.catalog.put(Entry::new(key, json!({}))).await.unwrap();
}

async fn seen(changes: &mut watch::Receiver<u64>, revision: u64) {
    let seen = timeout(PATIENCE, changes.wait_for(|seen| *seen == revision));
    seen.await.expect("the change is seen").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_tells_is_enough() {
    let (_, url) = database().await;
    let watching = open(polled(&url, NEVER)).await.unwrap();
    let mut changes = watching.catalog.changes();
    put(&open(StoreConfig::new(&url)).await.unwrap()).await;
    seen(&mut changes, 1).await;
}

/// As behind a pooler that passes on no notifications.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_now_and_then_is_enough() {
    let (postgres, url) = database().await;
    let watching = open(polled(&url, Duration::from_millis(50))).await.unwrap();
    let mut changes = watching.catalog.changes();
    let name = url.rsplit('/').next().unwrap();
    let untold = "update actionfleet.revisions set revision = 7 where name = 'catalog'";
    postgres.sql(name, untold).await.unwrap();
    seen(&mut changes, 7).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_while_nobody_listened_is_seen_afterwards() {
    let (postgres, url) = database().await;
    let link = Link::to(("127.0.0.1", postgres.port())).await.unwrap();
    let through = url.replace(&format!(":{}/", postgres.port()), &format!(":{}/", link.port()));
    let watching = open(polled(&through, NEVER)).await.unwrap();
    let mut changes = watching.catalog.changes();
    link.refuse(true);
    link.cut();
    put(&open(StoreConfig::new(&url)).await.unwrap()).await;
    assert_eq!(*changes.borrow_and_update(), 0, "nobody can have told");
    link.refuse(false);
    seen(&mut changes, 1).await;
}
