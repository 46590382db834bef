use std::{sync::atomic::Ordering, time::Duration};

use actionfleet_local::{Link, Postgres};
use actionfleet_store::{Claimed, Entry, EntryKey, StoreConfig, StoreError, open};
use serde_json::json;
use tokio::time::timeout;

use crate::load::{Load, claim, outcome};

async fn fresh() -> (&'static Postgres, String) {
    let postgres = Postgres::shared().await.unwrap();
    (postgres, postgres.database().await.unwrap())
}

fn impatient(url: &str) -> StoreConfig {
    StoreConfig { timeout: Duration::from_millis(500), ..StoreConfig::new(url) }
}

fn name(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_migrate_at_once() {
    let (_, url) = fresh().await;
    let opens = (0..6).map(|_| tokio::spawn(open(StoreConfig::new(&url))));
    for opened in futures::future::join_all(opens).await {
        let store = opened.unwrap().unwrap();
        assert_eq!(store.ledger.claim(claim()).await.unwrap(), Claimed::Execute);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_refused() {
    let (postgres, url) = fresh().await;
    open(StoreConfig::new(&url)).await.unwrap();
    let newer = "insert into actionfleet.refinery_schema_history select 999, 'newer', \
                 applied_on, checksum from actionfleet.refinery_schema_history limit 1";
    postgres.sql(name(&url), newer).await.unwrap();
    let error = open(StoreConfig::new(&url)).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { found: 999, .. }), "{error}");
    assert!(error.to_string().contains("use a newer version"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_nothing_that_was_confirmed() {
    let postgres = Postgres::start().await.unwrap();
    let url = postgres.database().await.unwrap();
    let store = open(StoreConfig::new(&url)).await.unwrap();
    let mut changes = store.catalog.changes();
    changes.borrow_and_update();
    let load = Load::on(&store.ledger);
    for _ in 0..3 {
        load.goes_on(100).await;
        postgres.kill().await.unwrap();
        postgres.start_again().await.unwrap();
    }
    load.goes_on(100).await;
    postgres.stop().await.unwrap();
    postgres.start_again().await.unwrap();
    load.goes_on(100).await;
    assert!(load.failures.load(Ordering::Relaxed) > 0, "nothing was under way");
    assert!(load.check().await >= 500);

    // the watch over the catalog came back, too
    timeout(Duration::from_secs(20), changes.changed()).await.expect("told to reload").unwrap();
    let entry = Entry::new(EntryKey::new("default", "provider", "new"), json!({}));
    store.catalog.put(entry).await.unwrap();
    let seen = timeout(Duration::from_secs(20), changes.wait_for(|revision| *revision == 1));
    seen.await.expect("seen after the restarts").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_cut_loses_nothing() {
    let (postgres, url) = fresh().await;
    let link = Link::to(("127.0.0.1", postgres.port())).await.unwrap();
    let port = |port: u16| format!(":{port}/");
    let url = url.replace(&port(postgres.port()), &port(link.port()));
    let store = open(StoreConfig::new(&url)).await.unwrap();
    let load = Load::on(&store.ledger);
    for _ in 0..10 {
        load.goes_on(30).await;
        link.cut();
    }
    link.refuse(true);
    link.cut();
    let refused = store.ledger.claim(claim()).await.unwrap_err();
    assert!(refused.is_temporary(), "{refused}");
    link.refuse(false);
    load.goes_on(30).await;
    assert!(load.failures.load(Ordering::Relaxed) > 0, "nothing was under way");
    assert!(load.check().await >= 330);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_link_holds_nobody_for_ever() {
    let (postgres, url) = fresh().await;
    let link = Link::to(("127.0.0.1", postgres.port())).await.unwrap();
    let port = |port: u16| format!(":{port}/");
    let url = url.replace(&port(postgres.port()), &port(link.port()));
    let store = open(impatient(&url)).await.unwrap();
    let first = claim();
    store.ledger.claim(first.clone()).await.unwrap();
    link.pause();
    let limit = Duration::from_secs(20);
    let calls = async {
        let claimed = store.ledger.claim(claim()).await.unwrap_err();
        let finished = store.ledger.finish(&first, outcome("x")).await.unwrap_err();
        let found = store.ledger.get(&first.job_id).await.unwrap_err();
        [claimed, finished, found]
    };
    for error in timeout(limit, calls).await.expect("each call has an end") {
        assert!(error.is_temporary(), "{error}");
    }
    link.resume();
    let back = async { while store.ledger.finish(&first, outcome("x")).await.is_err() {} };
    timeout(limit, back).await.expect("it comes back");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exhausted_pool_is_said_and_recovers() {
    let (postgres, url) = fresh().await;
    let config = StoreConfig { pool_size: 2, ..impatient(&url) };
    let store = open(config).await.unwrap();
    let lock =
        "begin; lock table actionfleet.catalog in access exclusive mode; select pg_sleep(600)";
    let name = name(&url).to_owned();
    let holding = tokio::spawn({
        let name = name.clone();
        async move { postgres.sql(&name, lock).await }
    });
    let held = "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted \
                and relation = 'actionfleet.catalog'::regclass";
    while postgres.sql(&name, held).await.unwrap() != "1" {}

    let finds = (0..8).map(|_| {
        let catalog = store.catalog.clone();
        tokio::spawn(async move { catalog.snapshot().await })
    });
    let answers: Vec<StoreError> = futures::future::join_all(finds)
        .await
        .into_iter()
        .map(|answer| answer.unwrap().unwrap_err())
        .collect();
    assert!(answers.iter().all(StoreError::is_temporary), "{answers:?}");
    let said = |error: &StoreError| error.to_string().contains("raise store.pool_size");
    assert!(answers.iter().any(said), "{answers:?}");

    let end = "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep%' \
               and datname = current_database() and pid <> pg_backend_pid()";
    postgres.sql(&name, end).await.unwrap();
    assert!(holding.await.unwrap().is_err());
    store.catalog.snapshot().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_server_is_read() {
    let (postgres, url) = fresh().await;
    let writable = open(StoreConfig::new(&url)).await.unwrap();
    let kept = claim();
    writable.ledger.claim(kept.clone()).await.unwrap();
    let name = name(&url);
    let read_only = format!("alter database {name} set default_transaction_read_only = on");
    postgres.sql("postgres", &read_only).await.unwrap();

    let store = open(StoreConfig::new(&url)).await.unwrap();
    assert!(store.ledger.get(&kept.job_id).await.unwrap().is_some());
    assert_eq!(store.catalog.snapshot().await.unwrap().entries, []);
    let entry = Entry::new(EntryKey::new("default", "provider", "x"), json!({}));
    for error in [
        store.ledger.claim(claim()).await.unwrap_err(),
        store.ledger.finish(&kept, outcome("x")).await.unwrap_err(),
        store.catalog.put(entry).await.unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::ReadOnly(_)), "{error}");
    }
}

#[tokio::test]
async fn who_is_not_let_in_is_told_so() {
    let (postgres, url) = fresh().await;
    let port = postgres.port();
    for url in [
        url.replace("actionfleet@", "stranger@"),
        format!("postgres://actionfleet@127.0.0.1:{port}/no_such_database"),
        format!("{url}?sslmode=require"),
    ] {
        let error = open(StoreConfig::new(&url)).await.unwrap_err();
        assert!(matches!(error, StoreError::Denied(_)), "{url}: {error}");
    }
    for url in [
        format!("{url}?sslmode=sometimes"),
        format!("{url}?nonsense=1"),
        "postgres://user:pass%word@host:port/db".to_owned(),
        "mysql://host/db".to_owned(),
        "sqlite:".to_owned(),
    ] {
        let error = open(StoreConfig::new(&url)).await.unwrap_err();
        assert!(matches!(error, StoreError::Config(_)), "{url}: {error}");
        assert!(!error.to_string().contains("pass%"), "{error}");
    }
}
