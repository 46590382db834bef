//! One outcome per job id, over a real ledger.

mod faults;
mod kill;

use std::time::Duration;

use actionfleet_broker::Properties;
use actionfleet_local::Postgres;
use actionfleet_producer::{GetError, Producer, ProducerConfig};
use actionfleet_proto::{Code, Status, headers};
use actionfleet_store::{JobStatus, Store, StoreConfig, Why};
use actionfleet_worker::config::{LedgerPolicy, WorkerConfig};
use serde_json::json;
use tokio::time::timeout;

use crate::harness::{PATIENCE, Rig};

async fn postgres() -> Store {
    let url = Postgres::shared().await.unwrap().database().await.unwrap();
    actionfleet_store::open(StoreConfig::new(url)).await.unwrap()
}

async fn rig(store: &Store) -> Rig {
    Rig::stored(store.clone(), |_| {}).await
}

#[tokio::test]
async fn one_id_submitted_twice_is_executed_once_and_answered_twice() {
    let store = postgres().await;
    let mut rig = rig(&store).await;
    let job = json!({"action": "script", "input": {"json": [{"do": "gate"}]}});
    rig.send("twice", &job).await;
    rig.gate.entered().await;
    // while it runs, and in other words
    rig.send("twice", &json!({"action": "echo", "input": {"text": "other"}})).await;
    rig.gate.open();
    let (first, second) = (rig.reply_delivery().await, rig.reply_delivery().await);
    assert_eq!(first.body, second.body, "the same result to the byte");
    for delivery in [first, second] {
        delivery.ack().await.unwrap();
    }
    // and once more, when it has ended
    let third = rig.run("twice", &json!({"action": "echo", "input": {"text": "late"}})).await;
    assert_eq!((third.action.as_deref(), third.attempts.len()), (Some("script"), 1));
}

/// As when the link of a worker that had taken the other one breaks.
#[tokio::test]
async fn a_submission_that_is_delivered_again_leaves_another_that_runs_alone() {
    let store = postgres().await;
    let one_permit = |config: &mut WorkerConfig| config.lanes = [("default".to_owned(), 1)].into();
    let mut one = Rig::stored(store.clone(), one_permit).await;
    let sent = |at: &'static str| {
        move |properties: &mut Properties| properties.set_header(headers::ENQUEUED_AT, at)
    };
    let gate = json!({"action": "script", "input": {"json": [{"do": "gate"}]}}).to_string();
    one.send_bytes("twice", gate.into_bytes(), sent("2026-01-01T00:00:00.001Z")).await;
    one.gate.entered().await;
    let echo = json!({"action": "echo", "input": {"text": "other"}}).to_string();
    one.send_bytes("twice", echo.into_bytes(), sent("2026-01-01T00:00:00.002Z")).await;
    one.take_away("default").await.requeue().await.unwrap();

    let two = Rig::start_on(one.url.clone(), Some(store.clone()), |_| {}).await;
    two.replies.stop();
    let early = timeout(Duration::from_millis(500), one.replies.next()).await;
    assert!(early.is_err(), "it waits for the other: {early:?}");
    one.gate.open();
    let (first, second) = (one.reply().await, one.reply().await);
    assert_eq!(first.action.as_deref(), Some("script"));
    assert_eq!(first, second);
}

#[tokio::test]
async fn the_row_of_a_job_tells_its_life() {
    let store = postgres().await;
    let mut rig = rig(&store).await;
    let steps =
        json!([{"do": "retry", "code": "backend_overloaded", "after": 3000}, {"do": "gate"}]);
    rig.send("life", &json!({"action": "script", "input": {"json": steps}})).await;
    let waiting = until(&store, "life", JobStatus::Waiting).await;
    assert_eq!((waiting.attempt, waiting.why), (2, Some(Why::Retrying)));
    assert_eq!(waiting.code, Some(Code::BackendOverloaded));
    rig.gate.entered().await;
    assert_eq!(until(&store, "life", JobStatus::Running).await.attempt, 2);
    rig.gate.open();
    let result = rig.reply().await;
    let row = until(&store, "life", JobStatus::Finished(Status::Succeeded)).await;
    assert_eq!((row.attempts.len(), row.attempts), (2, result.attempts));

    let producer = Producer::new(rig.broker.clone(), ProducerConfig::default());
    assert_eq!(producer.get("life").await, Err(GetError::NoLedger));
    let producer = producer.with_ledger(store.ledger.clone());
    let job = producer.get("life").await.unwrap().unwrap();
    assert_eq!(job.status, JobStatus::Finished(Status::Succeeded));
    assert_eq!(producer.get("unknown").await, Ok(None));
}

#[tokio::test]
async fn a_job_of_a_stopped_worker_is_executed_by_the_next() {
    let store = postgres().await;
    let mut one = rig(&store).await;
    let job = json!({"action": "script", "input": {"json": [{"do": "gate"}]}});
    one.send("moves", &job).await;
    one.gate.entered().await;
    one.stop_now();
    assert!(one.stopped().await.left.is_empty());
    let waiting = until(&store, "moves", JobStatus::Waiting).await;
    assert_eq!((waiting.attempt, waiting.why), (1, Some(Why::Interrupted)));
    let url = one.url.clone();
    drop(one);
    let mut two = Rig::start_on(url, Some(store.clone()), |_| {}).await;
    two.gate.entered().await;
    two.gate.open();
    assert_eq!(two.reply().await.id, "moves");
    until(&store, "moves", JobStatus::Finished(Status::Succeeded)).await;
}

async fn until(store: &Store, id: &str, status: JobStatus) -> actionfleet_store::JobEntry {
    let look = async {
        loop {
            let row = store.ledger.get(id).await.unwrap();
            if let Some(row) = row.filter(|row| row.status == status) {
                return row;
            }
        }
    };
    timeout(PATIENCE, look).await.unwrap_or_else(|_| panic!("{id} is never {status:?}"))
}

#[tokio::test]
async fn jobs_wait_for_a_required_ledger_and_go_on_beside_the_other() {
    let database = Postgres::start().await.unwrap();
    let url = database.database().await.unwrap();
    let config = StoreConfig { timeout: Duration::from_secs(1), ..StoreConfig::new(url) };
    let store = actionfleet_store::open(config).await.unwrap();
    let mut patient = rig(&store).await;
    let other = Rig::stored(store.clone(), |config| {
        config.ledger.policy = LedgerPolicy::BestEffort;
    });
    let mut other = other.await;
    let echo = json!({"action": "echo", "input": {"text": "a"}});
    assert_eq!(patient.run("before", &echo).await.status, Status::Succeeded);

    database.kill().await.unwrap();
    patient.send("waits", &echo).await;
    assert_eq!(other.run("goes-on", &echo).await.status, Status::Succeeded);
    let early = timeout(Duration::from_millis(300), patient.replies.next()).await;
    assert!(early.is_err(), "{early:?}");

    database.start_again().await.unwrap();
    assert_eq!(patient.reply().await.id, "waits");
    until(&store, "waits", JobStatus::Finished(Status::Succeeded)).await;
    // it was asked to claim this one and did not answer; once it does, it has the outcome
    until(&store, "goes-on", JobStatus::Finished(Status::Succeeded)).await;
}
