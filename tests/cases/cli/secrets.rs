//! Secrets: set by standard input, used by jobs, shown nowhere.

use std::{path::Path, process::Stdio};

use serde_json::json;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    process::Child,
    time::timeout,
};

use super::Said;
use crate::harness::{PATIENCE, actionfleet};

const OLD: &str = "old:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const NEW: &str = "new:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

async fn run(folder: &Path, keys: &str, arguments: &[&str], input: &str) -> Said {
    let mut child = actionfleet()
        .args(["--set", "store.url=sqlite:store.db", "--set", "broker.url=embedded:queue"])
        .args(["--set", &format!("store.keys={keys}")])
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // a command that reads nothing has gone
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let said: Said = timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap().into();
    assert!(!format!("{said:?}").contains("hunter2"), "{said:?}");
    said
}

#[tokio::test]
async fn secrets_are_set_listed_rotated_and_deleted() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let set = run(folder, OLD, &["secret", "set", "API_KEY"], "hunter2\n").await;
    assert_eq!(set.done(), "API_KEY of tenant default is set\n");
    run(folder, OLD, &["secret", "set", "API_KEY", "--tenant", "own"], "hunter22").await.done();
    run(folder, OLD, &["secret", "set", "API_KEY"], "").await.failed(65, "value has 0 bytes");
    run(folder, OLD, &["secret", "set", "hunter2"], "hunter2")
        .await
        .failed(65, "name does not fit");
    run(folder, "", &["secret", "set", "API_KEY"], "x").await.failed(78, "no key is configured");

    let both = format!("{NEW},{OLD}");
    let list = ["secret", "list", "--tenant", "own", "--json"];
    let key = |said: Said| said.json()[0]["key_id"].clone();
    assert_eq!(key(run(folder, OLD, &list, "").await), "old");
    run(folder, NEW, &["secret", "rotate"], "").await.failed(78, "encrypted with key old");
    let rotated = run(folder, &both, &["secret", "rotate", "--json"], "").await;
    assert_eq!(rotated.json(), [json!({"rotated": 2})]);
    assert_eq!(key(run(folder, NEW, &list, "").await), "new");
    let table = run(folder, NEW, &["secret", "list"], "").await.done();
    assert!(table.starts_with("NAME") && table.contains("API_KEY"), "{table}");

    let delete = ["secret", "delete", "API_KEY"];
    assert_eq!(
        run(folder, NEW, &delete, "").await.done(),
        "API_KEY of tenant default is deleted\n"
    );
    run(folder, NEW, &delete, "").await.failed(1, "tenant default has no secret API_KEY");
}

/// Answers each request with the value of its header `X-Key`.
async fn echo_key(listener: TcpListener) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                let read = stream.read(&mut buffer).await.unwrap_or(0);
                if read == 0 {
                    return;
                }
                request.extend(buffer.iter().take(read));
            }
            let text = String::from_utf8_lossy(&request).to_lowercase();
            let key = text.lines().find_map(|line| line.strip_prefix("x-key: ")).unwrap_or("none");
            // not the value, which would be a secret in a result
            let body = format!("{} characters", key.len());
            let head = format!("content-length: {}\r\nconnection: close", body.len());
            let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}");
            let _ = stream.write_all(answer.as_bytes()).await;
        });
    }
}

fn worker(folder: &Path) -> Child {
    let mut command = actionfleet();
    command.current_dir(folder).arg("worker");
    for setting in [
        "store.url=sqlite:store.db",
        "broker.url=embedded:queue",
        "admin.listen=off",
        "http.allow_networks=127.0.0.0/8",
        &format!("store.keys={OLD}"),
    ] {
        command.args(["--set", setting]);
    }
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[tokio::test]
async fn jobs_take_their_tenants_secrets_and_see_them_change() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(echo_key(listener));
    let action = json!({
        "kind": "http_action", "identifier": "ask", "method": "GET", "url": url,
        "headers": {"X-Key": "{{ secrets.API_KEY }}"},
    });
    std::fs::create_dir(folder.join("definitions")).unwrap();
    std::fs::write(folder.join("definitions/ask.json"), action.to_string()).unwrap();
    for tenant in ["default", "own"] {
        let job = json!({"action": "ask", "tenant": tenant, "input": {"arguments": {}}});
        std::fs::write(folder.join(format!("{tenant}.json")), job.to_string()).unwrap();
    }
    let _worker = worker(folder);
    let ask = |tenant: &'static str| async move {
        let file = format!("{tenant}.json");
        run(folder, OLD, &["enqueue", "ask", "--input", &file, "--wait"], "").await
    };
    ask("own").await.failed(1, "missing_secret: the secret API_KEY is not set");
    run(folder, OLD, &["secret", "set", "API_KEY"], "hunter2").await.done();
    assert_eq!(ask("own").await.done(), "7 characters\n");
    run(folder, OLD, &["secret", "set", "API_KEY", "--tenant", "own"], "hunter2345").await.done();
    // within a second or so
    while ask("own").await.done() != "10 characters\n" {}
    assert_eq!(ask("default").await.done(), "7 characters\n");
}
