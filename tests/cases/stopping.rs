//! The end of a worker: jobs end, or go back as they were.

use actionfleet_proto::Status;
use serde_json::json;

use crate::harness::Rig;

#[tokio::test]
async fn jobs_in_flight_end_within_the_grace_period() {
    let mut rig = Rig::start().await;
    rig.send("g", &json!({"action": "script", "input": {"json": [{"do": "gate"}]}})).await;
    rig.gate.entered().await;
    rig.stop_softly();
    rig.gate.open();
    assert_eq!(rig.reply().await.status, Status::Succeeded);
    assert_eq!(rig.stopped().await.left, Vec::<String>::new());
}

#[tokio::test]
async fn an_interrupted_job_goes_back_with_its_attempt_restored() {
    let mut rig = Rig::start().await;
    let steps = json!([{"do": "retry", "after": 1}, {"do": "gate"}]);
    let job =
        json!({"action": "script", "input": {"json": steps}, "retry": {"initial_delay": "1ms"}});
    rig.send("b", &job).await;
    rig.gate.entered().await;
    rig.stop_now();
    assert_eq!(rig.stopped().await.left, Vec::<String>::new());
    let mut other = Rig::on(rig.url.clone(), |_| {}).await;
    rig.replies.stop();
    other.gate.open();
    let result = other.reply().await;
    assert_eq!((result.status, result.attempts.len()), (Status::Succeeded, 2), "{result:?}");
    assert_eq!(result.attempts[1].number, 2);
}

#[tokio::test]
async fn what_waits_in_the_queue_is_left_to_others() {
    let mut rig = Rig::with(|config| {
        config.lanes.insert("default".into(), 1);
    })
    .await;
    for id in ["first", "second"] {
        rig.send(id, &json!({"action": "script", "input": {"json": [{"do": "gate"}]}})).await;
    }
    rig.gate.entered().await;
    rig.stop_softly();
    rig.gate.open();
    assert_eq!(rig.reply().await.id, "first");
    assert_eq!(rig.stopped().await.left, Vec::<String>::new());
    rig.replies.stop();
    let mut other = Rig::on(rig.url.clone(), |_| {}).await;
    other.gate.open();
    assert_eq!(other.reply().await.id, "second");
}

#[tokio::test]
async fn what_ends_a_moment_after_it_was_told_to_is_no_waste() {
    let mut rig = Rig::start().await;
    rig.send("l", &json!({"action": "script", "input": {"json": [{"do": "linger"}]}})).await;
    rig.gate.entered().await;
    rig.stop_now();
    // the worker's grace period is over: the job's context has been cancelled
    rig.gate.entered().await;
    rig.gate.open();
    let result = rig.reply().await;
    assert_eq!((result.status, result.attempts.len()), (Status::Succeeded, 1), "{result:?}");
    assert_eq!(rig.stopped().await.left, Vec::<String>::new());
}
