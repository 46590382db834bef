//! Bodies that are not jobs: each gets its code, none holds up the lane.

use actionfleet_proto::{Code, JobResult, Next, Status, check_job_id};
use serde_json::json;

use crate::harness::Rig;

fn bodies() -> Vec<(&'static str, Vec<u8>, Code)> {
    let nested = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    let text = |body: &str| body.as_bytes().to_vec();
    vec![
        ("empty", Vec::new(), Code::InvalidJob),
        ("no JSON", text("hello"), Code::InvalidJob),
        ("a list", text("[]"), Code::InvalidJob),
        ("invalid UTF-8", b"{\"action\": \"\xff\xfe\"}".to_vec(), Code::InvalidJob),
        (
            "deep nesting",
            text(&format!(r#"{{"action": "script", "input": {{"json": {nested}}}}}"#)),
            Code::InvalidJob,
        ),
        (
            "duplicate keys",
            text(r#"{"action": "a", "action": "b", "input": {"text": "x"}}"#),
            Code::InvalidJob,
        ),
        (
            "duplicate keys inside",
            text(r#"{"action": "a", "input": {"json": {"k": 1, "k": 2}}}"#),
            Code::InvalidJob,
        ),
        (
            "two inputs",
            text(r#"{"action": "a", "input": {"text": "x", "json": 1}}"#),
            Code::InvalidJob,
        ),
        ("16 MiB + 1", vec![b' '; 16 * 1024 * 1024 + 1], Code::PayloadTooLarge),
    ]
}

#[tokio::test]
async fn what_does_not_read_gets_its_code_and_the_lane_goes_on() {
    let mut rig = Rig::start().await;
    for (name, body, code) in bodies() {
        let size = body.len();
        rig.send_bytes("poison", body, |_| {}).await;
        let result = rig.reply().await;
        let error = result.error.as_ref().unwrap();
        assert_eq!((result.status, error.code), (Status::Failed, code), "{name}: {error:?}");
        assert_eq!(result.id, "poison", "{name}");
        let letter = rig.next_dead_letter().await;
        assert_eq!(letter.body.len(), size, "{name}");
        assert_eq!(letter.properties.text_header("x-actionfleet-code"), Some(code.as_str()));
        letter.ack().await.unwrap();
        let next = rig.run("next", &json!({"action": "script", "input": {"json": []}})).await;
        assert_eq!(next.status, Status::Succeeded, "{name}");
    }
}

#[tokio::test]
async fn properties_that_do_not_read_are_survived() {
    let mut rig = Rig::start().await;
    let job = json!({"action": "script", "input": {"json": []}}).to_string();
    for (name, value) in [
        ("x-actionfleet-state", "{not json"),
        (
            "x-actionfleet-state",
            r#"{"id": "x", "attempt": 0, "enqueued_at": "2026-01-01T00:00:00Z"}"#,
        ),
        ("x-actionfleet-enqueued-at", "yesterday"),
        ("traceparent", "garbage"),
    ] {
        rig.send_bytes("p", job.clone().into(), |properties| {
            properties.set_header(name, value);
            properties.timestamp = Some(u64::MAX);
        })
        .await;
        let result = rig.reply().await;
        assert_eq!(
            (result.status, result.tenant.as_str()),
            (Status::Succeeded, "default"),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_job_whose_workers_are_lost_too_often_is_not_started_again() {
    let rig = Rig::with(|config| config.limits.deliveries = 1).await;
    let url = rig.url.clone();
    rig.send("w", &json!({"action": "script", "input": {"json": [{"do": "gate"}]}})).await;
    rig.gate.entered().await;
    rig.broker.close().await;
    let mut again = Rig::on(url, |config| config.limits.deliveries = 1).await;
    let result: JobResult = again.reply().await;
    assert_eq!(result.error.unwrap().code, Code::WorkerLost);
    let letter = again.next_dead_letter().await;
    assert_eq!(letter.properties.text_header("x-actionfleet-code"), Some("worker_lost"));
}

#[tokio::test]
async fn ibexas_own_bodies_are_jobs() {
    let mut rig = Rig::start().await;
    let body = r#"{"RefineText":{"Text":{"text":"x"},"RuntimeContext":{}}}"#;
    rig.send_bytes("i", body.into(), |properties| {
        properties.content_type = Some("application/vnd.ibexa.api.ai.RefineText+json".into());
    })
    .await;
    assert_eq!(rig.reply().await.action.as_deref(), Some("refine_text"));
    rig.send_bytes("j", body.into(), |properties| {
        properties.content_type = Some("text/csv".into());
    })
    .await;
    assert_eq!(rig.reply().await.error.unwrap().code, Code::InvalidJob);
}

#[tokio::test]
async fn a_tenant_that_does_not_read_does_not_become_another() {
    let mut rig = Rig::start().await;
    let job = json!({"action": "script", "input": {"json": []}}).to_string();
    rig.send_bytes("t", job.into(), |properties| {
        properties.set_header("x-actionfleet-tenant", "no tenant\r\nat all");
    })
    .await;
    let error = rig.reply().await.error.unwrap();
    assert_eq!(error.code, Code::InvalidJob);
    assert!(error.field_errors.contains_key("x-actionfleet-tenant"), "{error:?}");
}

#[tokio::test]
async fn a_message_id_that_is_no_job_id_is_not_replaced_in_silence() {
    let mut rig = Rig::start().await;
    let job = json!({"action": "script", "input": {"json": []}});
    for (id, correlation, answered) in
        [("order 17", Some("corr"), "corr"), ("order 17", None, "order 17"), ("", Some("c"), "c")]
    {
        rig.send_bytes(id, job.to_string().into(), |properties| {
            properties.correlation_id = correlation.map(str::to_owned);
        })
        .await;
        let delivery = rig.reply_delivery().await;
        assert_eq!(delivery.properties.correlation_id.as_deref(), Some(answered), "{id:?}");
        let result: JobResult = serde_json::from_slice(&delivery.body).unwrap();
        assert_eq!(delivery.properties.message_id.as_deref(), Some(result.id.as_str()));
        delivery.ack().await.unwrap();
        assert!(check_job_id(&result.id).is_ok(), "{}", result.id);
        assert_eq!(result.action.as_deref(), Some("script"));
        let error = result.error.unwrap();
        assert_eq!((error.code, error.next), (Code::InvalidJob, Next::DeadLettered));
        let problem = &error.field_errors["message_id"];
        assert!(problem.starts_with("message_id: a job id has 1 to 128 characters"), "{problem}");
        let letter = rig.next_dead_letter().await;
        assert_eq!(letter.properties.text_header("x-actionfleet-job-id"), Some(&*result.id));
        assert_eq!(letter.properties.message_id.as_deref(), Some(id), "as it came");
        letter.ack().await.unwrap();
    }
    let mut named = job;
    named["id"] = json!("order-17");
    rig.send("order 17", &named).await;
    let result = rig.reply().await;
    assert_eq!((result.id.as_str(), result.status), ("order-17", Status::Succeeded));
}

#[tokio::test]
async fn a_tenant_that_does_not_read_is_answered_where_the_body_says() {
    let rig = Rig::start().await;
    let mut mine = rig.bound("amq.direct", "mine").await;
    let reply = json!({"exchange": "amq.direct", "routing_key": "mine"});
    let job = json!({"action": "script", "input": {"json": []}, "reply": reply});
    rig.send_bytes("t", job.to_string().into(), |properties| {
        properties.set_header("x-actionfleet-tenant", "no tenant");
    })
    .await;
    let result: JobResult = serde_json::from_slice(&mine.next().await.unwrap().body).unwrap();
    assert_eq!(result.error.unwrap().code, Code::InvalidJob);
    assert_eq!((result.id.as_str(), result.tenant.as_str()), ("t", "default"));
}

#[tokio::test]
async fn a_body_that_is_no_job_is_answered_where_it_says() {
    let rig = Rig::start().await;
    let mut mine = rig.bound("amq.direct", "mine").await;
    let reply = json!({"exchange": "amq.direct", "routing_key": "mine"});
    let body = json!({"id": "b", "action": "script", "input": {}, "reply": reply});
    rig.send_bytes("other", body.to_string().into(), |_| {}).await;
    let result: JobResult = serde_json::from_slice(&mine.next().await.unwrap().body).unwrap();
    assert_eq!((result.id.as_str(), result.action.as_deref()), ("b", Some("script")));
}

#[tokio::test]
async fn the_longest_names_and_the_largest_outputs_have_an_end() {
    let mut rig = Rig::with(|config| config.limits.job_bytes = 80 * 1024).await;
    let long = "x".repeat(128);
    let job = json!({"tenant": long, "action": long, "input": {"text": "x"}});
    assert_eq!(rig.run("long", &job).await.error.unwrap().code, Code::UnknownAction);
    let job = json!({"action": "echo", "input": {"text": "\u{1}".repeat(20_000 / 6)}});
    let error = rig.run("large", &job).await.error.unwrap();
    assert_eq!(error.code, Code::ResponseTooLarge);
}
