//! Definitions in the store, changed while fleets run.

use std::time::Duration;

use actionfleet_local::{Link, Postgres};
use actionfleet_proto::{Code, JobResult, Status};
use actionfleet_store::{Entry, EntryKey, Store, StoreConfig};
use actionfleet_worker::config::{LedgerPolicy, WorkerConfig};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::harness::{PATIENCE, Rig};

async fn open(url: String) -> Store {
    let config = StoreConfig { timeout: Duration::from_secs(1), ..StoreConfig::new(url) };
    actionfleet_store::open(config).await.unwrap()
}

/// An action that echoes, with the options that it demands.
fn action(tenant: &str, required: &[&str]) -> Entry {
    let options = json!({"type": "object", "required": required});
    let document =
        json!({"input": "text", "output": "text", "handler": "echo", "options": options});
    Entry::new(EntryKey::new(tenant, "action_type", "say"), document)
}

fn job(more: &Value) -> Value {
    let mut job = json!({"action": "say", "input": {"text": "hi"}});
    job.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    job
}

fn code(result: &JobResult) -> Option<Code> {
    result.error.as_ref().map(|error| error.code)
}

/// Without a ledger, so that the store's absence is that of the catalog alone.
fn unledgered(config: &mut WorkerConfig) {
    config.ledger.policy = LedgerPolicy::Off;
}

/// Sends jobs until one ends so: a change is on its way.
async fn until(rig: &mut Rig, more: &Value, expected: Option<Code>) {
    let deadline = Instant::now() + PATIENCE;
    for number in 0.. {
        let result = rig.run(&format!("look-{number}"), &job(more)).await;
        if code(&result) == expected {
            return;
        }
        assert!(Instant::now() < deadline, "not {expected:?}: {result:?}");
    }
}

#[tokio::test]
async fn a_change_reaches_every_fleet_and_versions_stay() {
    let url = Postgres::shared().await.unwrap().database().await.unwrap();
    let store = open(url.clone()).await;
    store.catalog.put(action("default", &[])).await.unwrap();
    let mut one = Rig::stored(store.clone(), unledgered).await;
    let mut two = Rig::stored(open(url).await, unledgered).await;
    for rig in [&mut one, &mut two] {
        assert_eq!(rig.run("first", &job(&json!({}))).await.status, Status::Succeeded);
    }

    store.catalog.put(action("default", &["tone"])).await.unwrap();
    store.catalog.put(action("acme", &[])).await.unwrap();
    for rig in [&mut one, &mut two] {
        until(rig, &json!({}), Some(Code::InvalidInput)).await;
        until(rig, &json!({"tenant": "acme"}), None).await;
        let pinned = rig.run("pinned", &job(&json!({"action_version": 1}))).await;
        assert_eq!(pinned.status, Status::Succeeded, "{pinned:?}");
        let unknown = rig.run("unknown", &job(&json!({"action_version": 9}))).await;
        let error = unknown.error.unwrap();
        assert_eq!(error.code, Code::UnknownAction);
        assert_eq!(
            error.message,
            "action_version: action_type say of tenant default has no version 9; its current one \
             is 2"
        );
    }

    store.catalog.put(Entry { enabled: false, ..action("default", &[]) }).await.unwrap();
    for rig in [&mut one, &mut two] {
        until(rig, &json!({}), Some(Code::ConfigurationDisabled)).await;
        let pinned = rig.run("disabled", &job(&json!({"action_version": 1}))).await;
        assert_eq!(code(&pinned), Some(Code::ConfigurationDisabled));
        assert_eq!(
            rig.run("own", &job(&json!({"tenant": "acme"}))).await.status,
            Status::Succeeded
        );
    }

    // who may use an action is said by what is current, also of older versions
    let mut private = action("default", &[]);
    private.document["tenants"] = json!(["acme"]);
    store.catalog.put(private).await.unwrap();
    for rig in [&mut one, &mut two] {
        until(rig, &json!({"tenant": "other"}), Some(Code::NotAllowed)).await;
        let pinned = job(&json!({"action_version": 1, "tenant": "other"}));
        assert_eq!(code(&rig.run("not-allowed", &pinned).await), Some(Code::NotAllowed));
    }
    let handlers = json!({"action": "echo", "input": {"text": "a"}, "action_version": 1});
    assert_eq!(code(&one.run("unversioned", &handlers).await), Some(Code::UnknownAction));

    store.catalog.delete(&EntryKey::new("default", "action_type", "say")).await.unwrap();
    until(&mut one, &json!({}), Some(Code::UnknownAction)).await;
    until(&mut two, &json!({}), Some(Code::UnknownAction)).await;
}

#[tokio::test]
async fn jobs_go_on_from_what_was_read_last_while_the_store_is_away() {
    let database = Postgres::start().await.unwrap();
    let store = open(database.database().await.unwrap()).await;
    store.catalog.put(action("default", &["tone"])).await.unwrap();
    store.catalog.put(action("default", &[])).await.unwrap();
    let mut rig = Rig::stored(store.clone(), unledgered).await;
    assert_eq!(rig.run("before", &job(&json!({}))).await.status, Status::Succeeded);

    database.kill().await.unwrap();
    assert_eq!(rig.run("meanwhile", &job(&json!({}))).await.status, Status::Succeeded);
    // another version has to be read: its job waits, and holds nobody up
    rig.send("waits", &job(&json!({"action_version": 1}))).await;
    assert_eq!(rig.run("beside", &job(&json!({}))).await.status, Status::Succeeded);

    database.start_again().await.unwrap();
    let late = rig.reply().await;
    assert_eq!((late.id.as_str(), code(&late)), ("waits", Some(Code::InvalidInput)));
    let put = async { while store.catalog.put(action("default", &["more"])).await.is_err() {} };
    timeout(PATIENCE, put).await.expect("the store is back");
    until(&mut rig, &json!({}), Some(Code::InvalidInput)).await;
}

#[tokio::test]
async fn a_change_that_nobody_could_tell_of_is_seen() {
    let postgres = Postgres::shared().await.unwrap();
    let url = postgres.database().await.unwrap();
    let link = Link::to(("127.0.0.1", postgres.port())).await.unwrap();
    let through = url.replace(&format!(":{}/", postgres.port()), &format!(":{}/", link.port()));
    let operator = open(url).await;
    operator.catalog.put(action("default", &[])).await.unwrap();
    let mut rig = Rig::stored(open(through).await, unledgered).await;
    assert_eq!(rig.run("before", &job(&json!({}))).await.status, Status::Succeeded);

    link.refuse(true);
    link.cut();
    operator.catalog.put(action("default", &["tone"])).await.unwrap();
    assert_eq!(rig.run("cut-off", &job(&json!({}))).await.status, Status::Succeeded);
    link.refuse(false);
    until(&mut rig, &json!({}), Some(Code::InvalidInput)).await;
}
