//! Starts that wait, and ends that do not.

use std::{sync::Arc, time::Duration};

use actionfleet_broker::{
    Broker, Properties,
    amqp::{Amqp, AmqpConfig},
};
use actionfleet_producer::{DeadLetters, Filter, Replay};
use actionfleet_proto::{Code, Names, Span, Status, Timestamp};
use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::harness::{PATIENCE, Rig};

#[tokio::test]
async fn a_job_starts_when_it_asks_to() {
    let mut rig = Rig::start().await;
    let in_three = Timestamp::now().after(Duration::from_millis(3200)).to_string();
    for (id, key, value, millis) in [
        ("short", "delay", "700ms".to_owned(), 700),
        ("long", "delay", Span(Duration::from_millis(2500)).to_string(), 2500),
        ("at", "not_before", in_three, 0),
    ] {
        let mut job = json!({"action": "script", "input": {"json": []}});
        job[key] = json!(value);
        let start = Instant::now();
        let result = rig.run(id, &job).await;
        assert_eq!(result.status, Status::Succeeded, "{id}");
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(millis), "{id}: started after {took:?}");
        assert!(took < Duration::from_millis(millis + 3500), "{id}: started after {took:?}");
    }
}

#[tokio::test]
async fn a_job_that_waited_too_long_is_not_started() {
    let mut rig = Rig::start().await;
    for (id, field, value) in [
        ("span", "expires_in", "1s".to_owned()),
        ("time", "deadline", Timestamp::now().to_string()),
    ] {
        let mut job = json!({"action": "script", "input": {"json": []}});
        job[field] = json!(value);
        job["delay"] = json!("3s");
        let result = rig.run(id, &job).await;
        assert_eq!(
            (result.status, result.error.unwrap().code),
            (Status::Expired, Code::DeadlineExceeded),
            "{id}"
        );
    }
}

/// As ARCHITECTURE.md says: nobody answers, nothing is lost.
#[tokio::test]
async fn a_job_that_the_broker_takes_off_its_lane_is_kept_and_not_answered() {
    let mut rig = Rig::with(|config| {
        config.lanes = [("default".to_owned(), 1)].into();
    })
    .await;
    rig.send("first", &json!({"action": "script", "input": {"json": [{"do": "gate"}]}})).await;
    rig.gate.entered().await;
    let job = json!({"action": "script", "input": {"json": []}});
    let expiring = |properties: &mut Properties| properties.expiration = Some("1".to_owned());
    rig.send_bytes("second", job.to_string().into(), expiring).await;
    let looking = Amqp::connect(AmqpConfig::new(rig.url.clone()), Some(PATIENCE)).await.unwrap();
    let dead = DeadLetters::new(Arc::new(looking.clone()), Names::default());
    let letter = timeout(PATIENCE, async {
        loop {
            if let Some(letter) = dead.find("second").await.unwrap() {
                break letter;
            }
        }
    });
    let letter = letter.await.expect("a dead letter");
    assert_eq!(
        (letter.moved.as_deref(), letter.lane.as_deref(), letter.code, letter.error.as_deref()),
        (Some("expired"), Some("default"), None, None)
    );
    drop(letter);
    looking.close().await;

    rig.gate.open();
    assert_eq!(rig.reply().await.id, "first", "the second was not answered");
    let dead = DeadLetters::new(rig.broker.clone(), Names::default());
    let how = Replay { rate: None, link_timeout: PATIENCE };
    let replayed = async {
        // it comes back a moment after the link that looked at it is closed
        while dead.replay(Filter::default(), how, |_, _| {}).await.unwrap().done == 0 {}
    };
    timeout(PATIENCE, replayed).await.expect("a job put back");
    let result = rig.reply().await;
    assert_eq!((result.id.as_str(), result.status), ("second", Status::Succeeded));
}

#[tokio::test]
async fn a_retry_that_would_start_after_the_deadline_is_none() {
    let mut rig = Rig::start().await;
    let job = json!({
        "action": "script", "expires_in": "5s",
        "input": {"json": [{"do": "retry", "after": 60_000, "code": "backend_rate_limited"}]},
    });
    let start = Instant::now();
    let result = rig.run("d", &job).await;
    assert_eq!(
        (result.status, result.error.unwrap().code),
        (Status::Failed, Code::BackendRateLimited)
    );
    assert!(start.elapsed() < Duration::from_secs(5));
}
