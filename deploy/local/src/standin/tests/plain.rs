use serde_json::json;

use super::client::{Call, get, post};
use crate::standin::{Misbehaviour, Standin};

async fn standin() -> Standin {
    Standin::start(Misbehaviour::default()).await.unwrap()
}

#[tokio::test]
async fn echo_gives_back_every_byte() {
    let standin = standin().await;
    let answer = post("/echo", r#" {"a": 1.10, "a": 1e400}"#).send(standin.port()).await;
    assert_eq!(answer.body, br#"{"echo": {"a": 1.10, "a": 1e400}}"#);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(post("/echo", "no JSON").send(standin.port()).await.status, 400);
}

#[tokio::test]
async fn inspect_shows_the_request_as_it_came() {
    let standin = standin().await;
    let call = Call {
        method: "PUT",
        path: "/inspect/a%2Fb/../%C3%A9?q=%26&q=+",
        headers: &[("x-twice", "one"), ("x-twice", "two")],
        body: br#"{"a":"\u00e9"}"#,
    };
    let seen = call.send(standin.port()).await.json();
    assert_eq!(seen["method"], "PUT");
    assert_eq!(seen["path"], "/inspect/a%2Fb/../%C3%A9");
    assert_eq!(seen["query"], "q=%26&q=+");
    assert_eq!(seen["headers"]["x-twice"], json!(["one", "two"]));
    assert_eq!(seen["body"], r#"{"a":"\u00e9"}"#);
    assert_eq!(seen["json"], json!({ "a": "é" }));
    for path in ["/inspect", "/inspect/", "/inspect?a"] {
        assert_eq!(get(path).send(standin.port()).await.json()["json"], json!(null));
    }
}

#[tokio::test]
async fn counts_calls_but_not_questions_about_them() {
    let standin = standin().await;
    for (job, times) in [("job-1", 1), ("job-2", 2)] {
        for _ in 0..times {
            let headers = [("x-actionfleet-job-id", job)];
            post("/echo", "1").with(&headers).send(standin.port()).await;
        }
    }
    get("/nothing/here").send(standin.port()).await;
    assert_eq!(get("/count").send(standin.port()).await.json(), json!({ "count": 4 }));
    let calls = get("/calls").send(standin.port()).await.json();
    assert_eq!(calls, json!({ "job-1": 1, "job-2": 2 }));
    let stats = get("/standin/stats").send(standin.port()).await.json();
    assert_eq!(stats["requests"], 4);
    assert_eq!(stats["answers"], json!({ "200": 3, "404": 1 }));
}

#[tokio::test]
async fn counts_who_waits() {
    let standin = standin().await;
    let mut waiting = Vec::new();
    for waits in 1..=3 {
        waiting.push(get("/faults/hang").open(standin.port()).await);
        while standin.stats().in_flight < waits {
            tokio::task::yield_now().await;
        }
    }
    drop(waiting);
    while standin.stats().in_flight > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(standin.stats().peak_in_flight, 3);
}

#[tokio::test]
async fn dropped_it_is_gone() {
    let standin = standin().await;
    let (port, url) = (standin.port(), standin.url());
    assert_eq!(url, format!("http://127.0.0.1:{port}"));
    drop(standin);
    let probe = async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
    // its threads end by themselves, soon
    while probe().await.is_ok() {
        tokio::task::yield_now().await;
    }
}
