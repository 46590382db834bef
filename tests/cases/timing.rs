//! Starts that wait, and ends that do not.

use std::time::Duration;

use actionfleet_proto::{Code, Span, Status, Timestamp};
use serde_json::json;
use tokio::time::Instant;

use crate::harness::Rig;

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
