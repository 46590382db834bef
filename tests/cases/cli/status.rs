//! What is in execution, as the workers say.

use actionfleet_broker::{Address, Message, Properties, Source};
use serde_json::{Value, json};

use super::Cli;
use crate::harness::{PATIENCE, Rig};

async fn status(cli: &Cli) -> Value {
    let [status] = cli.run(&["status", "--json"]).await.json().try_into().unwrap();
    status
}

fn question(body: &Value, reply_to: Option<&str>) -> Message {
    let properties = Properties { reply_to: reply_to.map(str::to_owned), ..Properties::default() };
    Message { body: body.to_string().into(), properties }
}

#[tokio::test]
async fn status_adds_up_what_every_worker_executes() {
    let mut one = Rig::with(|config| config.grace = PATIENCE).await;
    let cli = Cli::on(one.url.clone());
    let gate = json!({"action": "script", "input": {"json": [{"do": "gate"}]}});
    for id in ["a", "b"] {
        one.send(id, &gate).await;
        one.gate.entered().await;
    }
    let alone = status(&cli).await;
    let lane = json!({
        "lane": "default", "queue": "actionfleet.jobs.default", "ready": 0, "in_flight": 2,
        "permits": 32, "consumers": 1, "answered": 1,
    });
    assert_eq!((&alone["lanes"][1], &alone["workers"]), (&lane, &json!(1)));
    assert_eq!(alone["lanes"][0]["in_flight"], 0);

    let two = Rig::on(one.url.clone(), |config| {
        config.lanes = [("default".to_owned(), 8)].into();
    });
    let mut two = two.await;
    // settled on the lane that both serve
    let both = cli.until(&["status"], |said| said.out.contains("workers  2\n")).await;
    let words: Vec<Vec<&str>> =
        both.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[1], ["bulk", "0", "0", "8", "1"], "{both}");
    assert_eq!(words[2], ["default", "0", "2", "40", "2"], "{both}");

    // one that stops consumes no more, and still tells of what it executes
    one.stop_softly();
    let stopping = cli.until(&["status", "--json"], |said| {
        let [status] = said.json().try_into().unwrap();
        status["lanes"][0]["consumers"] == 0
    });
    let stopping: Value = serde_json::from_str(&stopping.await).unwrap();
    assert_eq!((&stopping["workers"], &stopping["lanes"][1]["in_flight"]), (&json!(2), &json!(2)));
    one.gate.open();
    one.gate.open();
    one.stopped().await;
    two.stop_now();
    two.stopped().await;
}

#[tokio::test]
async fn a_worker_that_does_not_answer_is_told() {
    let rig = Rig::start().await;
    let cli = Cli::on(rig.url.clone());
    let _mute = rig.broker.consume(Source::Lane("default".into()), 1).await.unwrap();
    let said = cli.run(&["status"]).await.done();
    assert!(said.contains("\nbulk     0      0          8        1\n"), "{said}");
    assert!(said.contains("\ndefault  0      0+         32+      2\n"), "{said}");
    assert!(said.ends_with("\n+ and more: not every worker has answered\n"), "{said}");
}

#[tokio::test]
async fn questions_that_cannot_be_answered_hurt_nobody() {
    let rig = Rig::start().await;
    let cli = Cli::on(rig.url.clone());
    let report = json!({"type": "report"});
    for (body, reply_to) in [
        (&json!({"type": "of a later version"}), Some("test.replies")),
        (&json!([]), Some("test.replies")),
        (&report, None),
        (&report, Some("gone")),
        (&report, Some("actionfleet.dead")),
    ] {
        rig.broker.publish(&Address::Control, question(body, reply_to)).await.unwrap();
    }
    let after = status(&cli).await;
    assert_eq!((&after["workers"], &after["dead"]), (&json!(1), &json!(0)));
    assert_eq!(rig.broker.depth("test.replies").await.unwrap().ready, 0);
}
