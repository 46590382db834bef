//! Outcomes, as a producer sees them.

use actionfleet_broker::{Address, HeaderValue, Message};
use actionfleet_proto::{AttemptOutcome, Code, Control, JobResult, Next, Notification, Status};
use actionfleet_worker::config::Results;
use serde_json::{Value, json};

use crate::harness::Rig;

fn script(steps: &Value) -> Value {
    json!({"action": "script", "input": {"json": steps}})
}

fn code(result: &JobResult) -> Code {
    result.error.as_ref().expect("an error").code
}

#[tokio::test]
async fn a_result_answers_its_job() {
    let mut rig = Rig::start().await;
    let mut everyone = rig.bound("actionfleet.results", "acme.script.succeeded").await;
    let job = json!({
        "action": "script", "tenant": "acme", "input": {"json": []}, "metadata": {"page": 7},
    });
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    rig.send_bytes("a", job.to_string().into(), |properties| {
        properties.correlation_id = Some("corr".into());
        properties.set_header("traceparent", trace);
    })
    .await;
    let delivery = rig.reply_delivery().await;
    assert_eq!(delivery.properties.correlation_id.as_deref(), Some("corr"));
    assert_eq!(delivery.properties.message_id.as_deref(), Some("a"));
    assert_eq!(delivery.properties.kind.as_deref(), Some("actionfleet.result.v1"));
    assert_eq!(delivery.properties.text_header("traceparent"), Some(trace));
    let result: JobResult = serde_json::from_slice(&delivery.body).unwrap();
    assert_eq!((result.status, result.handler.as_deref()), (Status::Succeeded, Some("script")));
    assert_eq!(result.message, "script completed successfully.");
    assert_eq!(result.metadata["page"], 7);
    assert_eq!(result.traceparent.as_deref(), Some(trace));
    assert_eq!(result.attempts.len(), 1);
    let copy = everyone.next().await.unwrap();
    assert_eq!(copy.body, delivery.body);
}

#[tokio::test]
async fn results_can_go_to_their_reply_addresses_alone() {
    let mut rig = Rig::with(|config| config.results = Results::Replies).await;
    let mut everyone = rig.bound("actionfleet.results", "#").await;
    assert_eq!(rig.run("a", &script(&json!([]))).await.status, Status::Succeeded);
    rig.stop_softly();
    rig.stopped().await;
    // all that the worker published is there before this
    let last = Address::Results { routing_key: "last".into() };
    let message = Message { body: "last".into(), ..Message::default() };
    rig.broker.publish(&last, message).await.unwrap();
    assert_eq!(everyone.next().await.unwrap().body, "last");
}

#[tokio::test]
async fn each_ending_has_its_status_its_code_and_its_place() {
    let mut rig = Rig::start().await;
    let quick = json!({"max_attempts": 3, "initial_delay": "1ms", "max_delay": "2ms"});
    for (name, steps, expected, attempts) in [
        (
            "permanent",
            json!([{"do": "fail", "code": "backend_rejected"}]),
            Code::BackendRejected,
            1,
        ),
        (
            "exhausted",
            json!([{"do": "retry"}, {"do": "retry"}, {"do": "retry", "code": "backend_timeout"}]),
            Code::BackendTimeout,
            3,
        ),
        (
            "once",
            json!([{"do": "retry", "code": "backend_invalid_response"}, {"do": "retry", "code": "backend_invalid_response"}]),
            Code::BackendInvalidResponse,
            2,
        ),
        (
            "panics",
            json!([{"do": "panic"}, {"do": "panic"}, {"do": "panic"}]),
            Code::HandlerPanicked,
            3,
        ),
    ] {
        let mut job = script(&steps);
        job["retry"] = quick.clone();
        let result = rig.run(name, &job).await;
        assert_eq!((result.status, code(&result)), (Status::Failed, expected), "{name}");
        assert_eq!(result.attempts.len(), attempts, "{name}");
        assert_eq!(result.error.unwrap().next, Next::DeadLettered, "{name}");
        let letter = rig.next_dead_letter().await;
        assert_eq!(letter.properties.text_header("x-actionfleet-code"), Some(expected.as_str()));
        assert_eq!(letter.properties.text_header("x-actionfleet-lane"), Some("default"));
        assert_eq!(letter.properties.text_header("x-actionfleet-job-id"), Some(name));
        assert_eq!(
            letter.properties.header("x-actionfleet-attempt"),
            Some(&HeaderValue::Number(i64::try_from(attempts).unwrap()))
        );
        assert_eq!(letter.body, job.to_string(), "the body as it came");
        letter.ack().await.unwrap();
    }
}

#[tokio::test]
async fn refusals_have_codes_and_are_not_kept() {
    let mut rig = Rig::start().await;
    let text = json!({"text": "x"});
    for (name, job, expected) in [
        ("action", json!({"action": "refine_txt", "input": text}), Code::UnknownAction),
        (
            "handler",
            json!({"action": "script", "handler": "nobody", "input": text}),
            Code::UnknownHandler,
        ),
        (
            "configuration",
            json!({"configuration": "casual", "input": text}),
            Code::UnknownConfiguration,
        ),
        (
            "webhook",
            json!({"action": "script", "input": text, "reply": {"webhook": "crm"}}),
            Code::InvalidJob,
        ),
        (
            "time limit",
            json!({"action": "script", "input": text, "timeout": "20h"}),
            Code::InvalidInput,
        ),
        (
            "expired",
            json!({"action": "script", "input": text, "deadline": "2020-01-01T00:00:00Z"}),
            Code::DeadlineExceeded,
        ),
    ] {
        let result = rig.run(&name.replace(' ', "-"), &job).await;
        assert_eq!(code(&result), expected, "{name}: {}", result.message);
        assert!(result.attempts.is_empty(), "{name}");
        assert_eq!(result.error.unwrap().next, Next::Discarded, "{name}");
        assert!(rig.dead_letter().await.is_none(), "{name}");
    }
}

#[tokio::test]
async fn retries_go_through_the_broker_and_remember_what_was() {
    let mut rig = Rig::start().await;
    let mut notes = rig.bound("actionfleet.notifications", "#").await;
    let mut job = script(
        &json!([{"do": "retry", "after": 10}, {"do": "retry", "after": 2100, "code": "backend_rate_limited"}, {}]),
    );
    job["notify"] = json!(["started", "retrying", "completed"]);
    job["retry"] = json!({"initial_delay": "1ms"});
    let result = rig.run("r", &job).await;
    assert_eq!((result.status, result.output.is_some()), (Status::Succeeded, true));
    let seen: Vec<_> = result.attempts.iter().map(|a| (a.number, a.outcome, a.code)).collect();
    let expected = [
        (1, AttemptOutcome::Retry, Some(Code::BackendError)),
        (2, AttemptOutcome::Retry, Some(Code::BackendRateLimited)),
        (3, AttemptOutcome::Succeeded, None),
    ];
    assert_eq!(seen, expected);
    let mut statuses = Vec::new();
    while statuses.len() < 6 {
        let note = notes.next().await.unwrap();
        let note: Notification = serde_json::from_slice(&note.body).unwrap();
        assert_eq!(
            (note.id.as_str(), note.input.clone()),
            ("r", json!({"json": job["input"]["json"]}))
        );
        statuses.push((note.status.as_str(), note.attempt));
    }
    statuses.sort_unstable();
    let expected = [
        ("completed", 3),
        ("retrying", 1),
        ("retrying", 2),
        ("started", 1),
        ("started", 2),
        ("started", 3),
    ];
    assert_eq!(statuses, expected);
}

#[tokio::test]
async fn a_throttled_job_spends_no_attempt() {
    let mut rig = Rig::start().await;
    let job = json!({"action": "script", "input": {"json": [{"do": "throttle", "after": 1000}]}, "expires_in": "4s"});
    let result = rig.run("t", &job).await;
    assert_eq!(result.status, Status::Expired, "it waits until its deadline: {result:?}");
    assert!(result.attempts.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_or_blocking_handler_is_cut_off_and_the_lane_goes_on() {
    let mut rig = Rig::start().await;
    for (name, step) in
        [("hang", json!({"do": "hang"})), ("block", json!({"do": "block", "for": 3000}))]
    {
        let mut job = script(&json!([step]));
        job["timeout"] = json!("150ms");
        job["retry"] = json!({"max_attempts": 1});
        let result = rig.run(name, &job).await;
        assert_eq!(
            (result.status, code(&result)),
            (Status::Failed, Code::BackendTimeout),
            "{name}"
        );
        assert!(result.attempts[0].duration_ms < 2000, "{name}: {:?}", result.attempts);
        assert_eq!(rig.run("next", &script(&json!([]))).await.status, Status::Succeeded);
    }
}

#[tokio::test]
async fn a_cancelled_job_stops_where_it_runs_and_where_it_waits() {
    let mut rig = Rig::start().await;
    rig.send("running", &script(&json!([{"do": "gate"}]))).await;
    rig.gate.entered().await;
    let mut later = script(&json!([]));
    later["delay"] = json!("3s");
    rig.send("waiting", &later).await;
    for id in ["running", "waiting"] {
        let body = serde_json::to_vec(&Control::Cancel { id: id.into() }).unwrap();
        let message = Message { body: body.into(), ..Message::default() };
        rig.broker.publish(&Address::Control, message).await.unwrap();
        let result = rig.reply().await;
        assert_eq!((result.id.as_str(), result.status), (id, Status::Cancelled));
        assert_eq!(code(&result), Code::Cancelled);
    }
}

#[tokio::test]
async fn a_reply_address_that_is_gone_hurts_nobody_else() {
    let mut rig = Rig::start().await;
    for (id, reply) in [
        ("queue", json!({"queue": "gone"})),
        ("exchange", json!({"exchange": "no-such-exchange", "routing_key": "x"})),
        ("unbound", json!({"exchange": "amq.topic", "routing_key": "nobody"})),
        ("long", json!({"queue": "q".repeat(400)})),
    ] {
        let mut everyone = rig.bound("actionfleet.results", "#").await;
        let mut job = script(&json!([]));
        job["reply"] = reply;
        rig.send(id, &job).await;
        let delivery = everyone.next().await.unwrap();
        let result: JobResult = serde_json::from_slice(&delivery.body).unwrap();
        delivery.ack().await.unwrap();
        assert_eq!((result.id.as_str(), result.status), (id, Status::Succeeded));
        assert_eq!(rig.run("next", &script(&json!([]))).await.status, Status::Succeeded, "{id}");
        everyone.next().await.unwrap().ack().await.unwrap();
    }
}

#[tokio::test]
async fn the_bodys_reply_goes_before_the_property() {
    let mut rig = Rig::start().await;
    let mut mine = rig.bound("amq.direct", "mine").await;
    let mut job = script(&json!([]));
    job["reply"] = json!({"exchange": "amq.direct", "routing_key": "mine"});
    rig.send("m", &job).await;
    let result: JobResult = serde_json::from_slice(&mine.next().await.unwrap().body).unwrap();
    assert_eq!(result.id, "m");
    assert_eq!(rig.run("next", &script(&json!([]))).await.id, "next", "no reply to the property");
}
