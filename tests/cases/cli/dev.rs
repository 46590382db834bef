//! A fleet in one process, and the command line beside it.

use std::{path::Path, process::Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Child,
    time::{Instant, timeout},
};

use super::Said;
use crate::harness::{PATIENCE, actionfleet};

struct Dev {
    child: Child,
    introduction: String,
}

impl Dev {
    async fn start(folder: &Path) -> Self {
        let mut child = actionfleet()
            .args(["dev", "--set", "admin.listen=127.0.0.1:0", "--set", "worker.grace=5s"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut introduction = String::new();
        let reading = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                introduction.push_str(&line);
                introduction.push('\n');
                if line.starts_with("Ctrl-C") {
                    break;
                }
            }
        };
        timeout(PATIENCE, reading).await.expect("an introduction");
        Self { child, introduction }
    }
}

async fn run(folder: &Path, arguments: &[&str]) -> Said {
    let output = actionfleet().args(arguments).current_dir(folder).output();
    Said::from(timeout(PATIENCE, output).await.unwrap().unwrap())
}

async fn on_data(folder: &Path, arguments: &[&str]) -> Said {
    run(folder, &[&["--data", "actionfleet-data"], arguments].concat()).await
}

async fn finished(folder: &Path, id: &str) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let said = on_data(folder, &["jobs", "show", id, "--json"]).await;
        if said.exit == Some(0) {
            let [job] = said.json().try_into().unwrap();
            if job.get("finished_at").is_some_and(Value::is_string) {
                return job;
            }
        }
        assert!(Instant::now() < deadline, "{said:?}");
    }
}

#[tokio::test]
async fn dev_tells_what_is_where_and_works_beside_the_command_line() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let mut dev = Dev::start(folder).await;
    let port = dev.introduction.split("127.0.0.1:").nth(1).unwrap().split('/').next().unwrap();
    insta::assert_snapshot!("introduction", dev.introduction.replace(port, "PORT"));

    let said = on_data(folder, &["enqueue", "echo", "--text", "hello", "--wait"]).await;
    assert_eq!(said.done(), "hello\n");
    // without a worker, jobs wait in the folder; whatever killed the last one
    dev.child.kill().await.unwrap();
    let said = on_data(folder, &["enqueue", "echo", "--text", "later", "--id", "later"]).await;
    assert_eq!(said.done(), "later\n");
    let _dev = Dev::start(folder).await;
    let job = finished(folder, "later").await;
    assert_eq!(
        (&job["status"], &job["result"]["output"]),
        (&json!("succeeded"), &json!({"text": ["later"]}))
    );
    let status = on_data(folder, &["status", "--json"]).await.json();
    assert_eq!((&status[0]["workers"], &status[0]["lanes"][1]["ready"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn jobs_are_listed_shown_and_put_back() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let _dev = Dev::start(folder).await;
    on_data(folder, &["enqueue", "echo", "--text", "a", "--id", "good", "--wait"]).await.done();
    on_data(folder, &["enqueue", "none", "--text", "a", "--id", "refused", "--wait"])
        .await
        .failed(1, "unknown_action");
    // no provider is defined, so that it fails for good and is a dead letter
    on_data(folder, &["enqueue", "refine_text", "--text", "a", "--id", "dead", "--wait"])
        .await
        .failed(1, "");

    let listed = on_data(folder, &["jobs", "list", "--json"]).await.json();
    let ids: Vec<&str> = listed.iter().map(|job| job["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["dead", "refused", "good"]);
    let failed = on_data(folder, &["jobs", "list", "--status", "failed", "--limit", "1", "--json"]);
    assert_eq!(failed.await.json()[0]["id"], "dead");
    let first = on_data(folder, &["jobs", "list", "--limit", "1"]).await;
    assert!(first.err.contains("there are more: --after dead, or a higher --limit"), "{first:?}");
    let next = on_data(folder, &["jobs", "list", "--after", "dead", "--json"]).await;
    assert_eq!(next.json(), listed[1..]);
    let last = on_data(folder, &["jobs", "list", "--after", "good"]).await;
    assert_eq!(last.done(), "no jobs\n");
    let unknown = on_data(folder, &["jobs", "list", "--after", "nobody"]).await;
    unknown.failed(1, "--after: the ledger has no job nobody");
    let none = on_data(folder, &["jobs", "list", "--tenant", "nobody"]).await;
    assert_eq!(none.done(), "no jobs\n");
    let shown = on_data(folder, &["jobs", "show", "good"]).await.done();
    for part in ["succeeded", "enqueued", "attempt 1 succeeded", r#""text": ["#] {
        assert!(shown.contains(part), "{shown}");
    }
    on_data(folder, &["jobs", "show", "nobody"]).await.failed(1, "the ledger knows no job nobody");
    on_data(folder, &["jobs", "cancel", "good"]).await.failed(1, "good: it has succeeded already");
    on_data(folder, &["jobs", "retry", "good"]).await.failed(1, "good: it has no dead letter");

    let before = finished(folder, "dead").await;
    let deadline = Instant::now() + PATIENCE;
    while on_data(folder, &["jobs", "retry", "dead"]).await.exit != Some(0) {
        // its dead letter is published beside the result, not before it
        assert!(Instant::now() < deadline);
    }
    while finished(folder, "dead").await["finished_at"] == before["finished_at"] {
        assert!(Instant::now() < deadline, "it is executed anew");
    }
}

#[tokio::test]
async fn folders_that_cannot_be_used_are_told() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("file"), "x").unwrap();
    run(folder, &["--data", "file/x", "dev"]).await.failed(69, "cannot write to file/x");
    run(folder, &["--data", "none", "status"]).await.failed(78, "there is no queue in none");
    run(folder, &["--data", "none", "--set", "store.url=sqlite:x", "status"])
        .await
        .failed(2, "--data sets store.url");
    run(folder, &["--set", "worker.permits=4", "config", "--set", "log.filter=warn"])
        .await
        .failed(2, "--set stands before the command and behind it");
    std::fs::create_dir(folder.join("bad")).unwrap();
    std::fs::write(folder.join("bad/store.db"), [7; 9000]).unwrap();
    let said = run(folder, &["--data", "bad", "dev"]).await;
    said.failed(78, "bad/store.db is damaged");
    run(folder, &["jobs", "list"]).await.failed(78, "there is no store; set `store.url`");
}
