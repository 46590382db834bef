//! What comes from outside holds no permit for ever.

use std::time::Duration;

use actionfleet_proto::{Code, Status};
use lapin::{
    Connection, ConnectionProperties,
    options::QueueDeclareOptions,
    types::{AMQPValue, FieldTable},
};
use serde_json::json;

use crate::harness::Rig;

async fn one_permit() -> Rig {
    Rig::with(|config| config.lanes = [("default".to_owned(), 1)].into()).await
}

/// A queue that takes no message.
async fn full_queue(url: &str, name: &str) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(0));
    arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.into(), durable, arguments).await.unwrap();
}

#[tokio::test]
async fn a_reply_queue_that_keeps_refusing_holds_up_nobody_for_long() {
    let mut rig = one_permit().await;
    full_queue(&rig.url, "full").await;
    let mut everyone = rig.bound("actionfleet.results", "#").await;
    let body = json!({"action": "script", "input": {"json": []}}).to_string();
    rig.send_bytes("refused", body.clone().into(), |properties| {
        properties.reply_to = Some("full".to_owned());
    })
    .await;
    rig.send_bytes("next", body.into(), |_| {}).await;
    let next = rig.reply().await;
    assert_eq!((next.id.as_str(), next.status), ("next", Status::Succeeded));
    let told = everyone.next().await.unwrap();
    assert_eq!(told.properties.message_id.as_deref(), Some("refused"), "others were told");
}

#[tokio::test]
async fn a_panic_outside_of_a_handler_is_an_outcome() {
    let mut rig = one_permit().await;
    let result = rig.run("p", &json!({"action": "panic", "input": {"text": "x"}})).await;
    assert_eq!(result.error.unwrap().code, Code::HandlerPanicked);
    let letter = rig.next_dead_letter().await;
    assert_eq!(letter.properties.text_header("x-actionfleet-job-id"), Some("p"));
    let next = rig.run("next", &json!({"action": "script", "input": {"json": []}})).await;
    assert_eq!(next.status, Status::Succeeded);
}

/// However many attempts it takes: the broker gives a delivery up after `consumer_timeout`.
#[tokio::test]
async fn one_delivery_lasts_no_longer_than_one_attempt_may() {
    let mut rig = Rig::with(|config| config.limits.max_timeout = Duration::from_secs(1)).await;
    for (timeout, through_the_broker) in [("500ms", false), ("1s", true)] {
        let job = json!({
            "action": "script", "timeout": timeout, "retry": {"initial_delay": "1ms"},
            "input": {"json": [{"do": "retry", "after": 10}, {}]},
        });
        let result = rig.run("r", &job).await;
        assert_eq!((result.status, result.attempts.len()), (Status::Succeeded, 2), "{result:?}");
        let waited = result.attempts[1].started_at.since(result.attempts[0].started_at);
        // the broker holds whole seconds
        assert_eq!(waited >= Duration::from_secs(1), through_the_broker, "{waited:?}");
    }
}
