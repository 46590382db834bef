//! Jobs put there, looked at, stopped and put back.

use actionfleet_broker::{
    Address, Broker, Message, Properties,
    amqp::{Amqp, AmqpConfig},
};
use actionfleet_proto::Status;
use serde_json::{Value, json};

use super::Cli;
use crate::harness::{PATIENCE, Rig};

/// A fleet with the handler `script`, and the command line beside it.
async fn fleet() -> (Rig, Cli) {
    let rig = Rig::start().await;
    let cli = Cli::on(rig.url.clone());
    (rig, cli)
}

/// A job whose result goes to the rig's own queue.
fn job(id: &str, steps: &Value) -> String {
    let input = json!({"json": steps});
    let reply = json!({"queue": "test.replies"});
    json!({"id": id, "action": "script", "input": input, "reply": reply}).to_string()
}

#[tokio::test]
async fn enqueue_prints_the_result_that_it_waits_for() {
    let (rig, cli) = fleet().await;
    let text = "He said \"no\"\n\u{1b}[31m& left";
    let said = cli.run(&["enqueue", "echo", "--text", text, "--wait"]).await;
    assert_eq!(said.done(), format!("{text}\n"));
    let said =
        cli.run(&["enqueue", "echo", "--text", "a", "--text", "b", "--wait", "--json"]).await;
    let [result] = said.json().try_into().unwrap();
    assert_eq!((said.exit, &result["output"]), (Some(0), &json!({"text": ["a", "b"]})));

    let said = cli.run(&["enqueue", "ecko", "--text", "a", "--id", "x", "--wait"]).await;
    said.failed(1, "actionfleet: job x failed: unknown_action: no action is called \"ecko\"");
    assert!(said.err.contains("`actionfleet explain unknown_action` says more"), "{said:?}");
    let said = cli.run(&["enqueue", "ecko", "--text", "a", "--wait", "--json"]).await;
    assert_eq!((said.exit, &said.json()[0]["error"]["code"]), (Some(1), &json!("unknown_action")));

    let rotten = ["enqueue", "generate_alt_text", "--input", "rotten.json", "--wait"];
    cli.write(
        "rotten.json",
        r#"{"input": {"image": "AA=="},
            "action_context": {"action_type_options": {"max_length": 0}}}"#,
    );
    let said = cli.run(&rotten).await;
    said.failed(1, "\n  action_type_options.max_length: ");

    cli.write("gate.json", r#"{"json": [{"do": "gate"}]}"#);
    let said = cli.run(&["enqueue", "script", "--input", "gate.json", "--wait", "200ms"]).await;
    said.failed(75, "it may still run");
    rig.gate.open();
}

#[tokio::test]
async fn enqueue_says_why_it_cannot() {
    let cli = Cli::alone().await;
    cli.write("broken.json", "{\"text\": ");
    for (arguments, exit, said) in [
        (["echo", "--input", "broken.json"].as_slice(), 65, "broken.json: not a JSON object (EOF"),
        (&["echo", "--input", "missing.json"], 66, "missing.json: No such file"),
        (&["echo", "--image", "missing.png"], 66, "missing.png: No such file"),
        (&["--text", "x"], 2, "name the ACTION"),
        (&["echo"], 2, "--text"),
        (&["echo", "--text", "x", "--id", "a b"], 65, "id"),
        (&["echo", "--text", "x", "--lane", "nowhere"], 78, "nowhere"),
        (&["echo", "--text", "x", "--delay", "5"], 2, "5"),
    ] {
        cli.run(&[&["enqueue"], arguments].concat()).await.failed(exit, said);
    }
}

#[tokio::test]
async fn a_bad_line_is_named_and_the_others_go_on() {
    let (mut rig, cli) = fleet().await;
    let lines = [job("a", &json!([])), "nonsense".to_owned(), job("c", &json!([]))].join("\n");
    cli.write("jobs.jsonl", &lines);
    let said = cli.run(&["enqueue", "--jsonl", "jobs.jsonl"]).await;
    said.failed(1, "jobs.jsonl:2: not a JSON object (expected ident at column 2): \"nonsense\"");
    assert_eq!(said.out, "2 jobs queued on lane `default`, 1 not\n");
    let mut ids = [rig.reply().await.id, rig.reply().await.id];
    ids.sort();
    assert_eq!(ids, ["a", "c"]);

    let said = cli.run(&["enqueue", "--jsonl", "jobs.jsonl", "--json"]).await;
    assert_eq!(said.exit, Some(1));
    let answers = said.json();
    let refused = answers.iter().find(|answer| answer["line"] == 2).unwrap();
    assert!(refused["error"].as_str().unwrap().starts_with("not a JSON object"));
    assert_eq!(answers.last().unwrap()["queued"], 2);

    cli.write("strict.jsonl", &format!("nonsense\n{}", job("d", &json!([]))));
    let said = cli.run(&["enqueue", "--jsonl", "strict.jsonl", "--strict"]).await;
    said.failed(1, "strict.jsonl:1: ");
    cli.run(&["enqueue", "--jsonl", "missing.jsonl"]).await.failed(66, "missing.jsonl: ");
}

#[tokio::test]
async fn dead_letters_are_listed_shown_put_back_and_dropped() {
    let (mut rig, cli) = fleet().await;
    assert_eq!(cli.run(&["dead", "list"]).await.done(), "no dead letters\n");
    cli.run(&["dead", "show", "x"]).await.failed(1, "there is no dead letter of job x");

    cli.write("job.json", &job("x", &json!([{"do": "fail", "code": "backend_rejected"}])));
    assert_eq!(cli.run(&["enqueue", "--input", "job.json"]).await.done(), "x\n");
    assert_eq!(rig.reply().await.status, Status::Failed);
    let list = cli.until(&["dead", "list"], |said| said.out.contains('x')).await;
    let words: Vec<Vec<&str>> = list.lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(words[1][..5], ["x", "backend_rejected", "script", "default", "1"], "{list}");
    let [letter] = cli.run(&["dead", "list", "--json"]).await.json().try_into().unwrap();
    assert_eq!((&letter["id"], &letter["code"]), (&json!("x"), &json!("backend_rejected")));
    let [whole] = cli.run(&["dead", "show", "x", "--json"]).await.json().try_into().unwrap();
    assert_eq!(whole["job"]["id"], "x");
    assert_eq!(whole["error"]["code"], "backend_rejected");
    let shown = cli.run(&["dead", "show", "x"]).await.done();
    let (_, shown) = shown.split_once("\n\n").unwrap();
    assert_eq!(shown.matches("as the script says").count(), 1, "{shown}");

    let said = cli.run(&["dead", "replay", "--dry-run"]).await;
    assert!(said.out.contains('x') && said.err.contains("1 would be put back"), "{said:?}");
    let said = cli.run(&["dead", "replay", "--code", "internal"]).await;
    assert_eq!(said.done(), "0 put back\n");
    let said = cli.run(&["dead", "replay", "--id", "x"]).await;
    assert_eq!(said.done(), "1 put back\n");
    let again = rig.reply().await;
    assert_eq!((again.id.as_str(), again.attempts.len()), ("x", 1), "with all attempts before it");

    cli.until(&["dead", "list"], |said| said.out.contains('x')).await;
    assert_eq!(cli.run(&["dead", "drop", "--older-than", "1h"]).await.done(), "0 deleted\n");
    assert_eq!(cli.run(&["dead", "drop", "--all"]).await.done(), "1 deleted\n");
    assert_eq!(cli.run(&["dead", "list"]).await.done(), "no dead letters\n");
}

#[tokio::test]
async fn dead_letters_that_the_broker_moved_say_so() {
    let cli = Cli::alone().await;
    cli.run(&["topology", "apply"]).await.done();
    let amqp = Amqp::connect(AmqpConfig::new(cli.url.clone()), Some(PATIENCE)).await.unwrap();
    let properties = Properties {
        message_id: Some("late".to_owned()),
        expiration: Some("1".to_owned()),
        ..Properties::default()
    };
    let message = Message { properties, ..Message::default() };
    amqp.publish(&Address::Lane("bulk".to_owned()), message).await.unwrap();
    let list = cli.until(&["dead", "list"], |said| said.out.contains("late")).await;
    let words: Vec<&str> = list.lines().last().unwrap().split_whitespace().collect();
    let expected = ["late", "-", "-", "bulk", "-", "-", "moved", "by", "the", "broker:", "expired"];
    assert_eq!(words, expected);
    let [letter] = cli.run(&["dead", "list", "--json"]).await.json().try_into().unwrap();
    assert_eq!((&letter["moved"], &letter["error"]), (&json!("expired"), &Value::Null));
}

#[tokio::test]
async fn cancel_stops_a_job_that_runs() {
    let (mut rig, cli) = fleet().await;
    cli.write("job.json", &job("x", &json!([{"do": "gate"}])));
    cli.run(&["enqueue", "--input", "job.json"]).await.done();
    rig.gate.entered().await;
    let said = cli.run(&["cancel", "x"]).await.done();
    assert_eq!(said, "asked every worker to stop job x\n");
    assert_eq!(rig.reply().await.status, Status::Cancelled);
    cli.run(&["cancel", "a b"]).await.failed(65, "id");
}

#[tokio::test]
async fn a_topology_is_compared_created_and_seen() {
    let cli = Cli::alone().await;
    let said = cli.run(&["topology", "check"]).await;
    assert_eq!((said.exit, said.out.as_str()), (Some(78), ""));
    insta::assert_snapshot!("topology_check", said.err);
    let [found] = cli.run(&["topology", "check", "--json"]).await.json().try_into().unwrap();
    assert_eq!(found["missing"]["queues"].as_array().unwrap().len(), 20, "{found}");
    assert_eq!(found["missing"]["exchanges"][0], "actionfleet.jobs");
    let said = cli.run(&["status"]).await;
    assert_eq!((said.exit, said.out.matches("missing").count()), (Some(1), 5), "{said:?}");
    let refused = ["enqueue", "echo", "--text", "x", "--set", "broker.topology=verify"];
    cli.run(&refused).await.failed(78, "`actionfleet topology apply`");

    assert_eq!(cli.run(&["topology", "apply"]).await.done(), "the topology is in place\n");
    let said = cli.run(&["topology", "check"]).await.done();
    assert_eq!(said, "the topology is as it should be\n");
    cli.run(&refused).await.done();
    let [status] = cli.run(&["status", "--json"]).await.json().try_into().unwrap();
    let lane = json!({
        "lane": "default", "queue": "actionfleet.jobs.default", "ready": 1, "in_flight": 0,
        "permits": 0, "consumers": 0, "answered": 0,
    });
    assert_eq!((&status["lanes"][1], &status["dead"]), (&lane, &json!(0)));
    assert!(!status["broker"].as_str().unwrap().contains("guest:guest"), "{status}");
    let print = cli.run(&["topology", "print"]).await.done();
    assert!(print.contains("x-queue-type=quorum"), "{print}");
}
