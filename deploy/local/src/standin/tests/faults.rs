use std::io::{ErrorKind, Read as _};

use flate2::read::GzDecoder;
use tokio::io::AsyncReadExt as _;

use super::client::{Answer, get, post};
use crate::standin::fault::Fault;
use crate::standin::{Misbehaviour, Standin};

const CHAT: &str = r#"{"model":"stand-in-1","messages":[{"role":"user","content":"a  b"}]}"#;
const KEY: &[(&str, &str)] = &[("authorization", "Bearer any")];

async fn standin() -> Standin {
    Standin::start(Misbehaviour::default()).await.unwrap()
}

async fn faulty(standin: &Standin, name: &str) -> Answer {
    let plain = post(&format!("/faults/{name}"), "{}").send(standin.port()).await;
    let path = format!("/faults/{name}/v1/chat/completions");
    let chat = post(&path, CHAT).with(KEY).send(standin.port()).await;
    assert_eq!(plain.status, chat.status, "{name}");
    chat
}

#[tokio::test]
async fn each_answers_with_its_status() {
    let standin = standin().await;
    for (name, status, body) in [
        ("status-200", 200, "on demand"),
        ("status-404", 404, "on demand"),
        ("status-599", 599, "server_error"),
        ("sequence-200", 200, ""),
        ("slow-0", 200, ""),
        ("retry-after-7", 429, "rate_limit_exceeded"),
        ("empty", 200, ""),
        ("no-content", 204, ""),
        ("not-json", 200, "<html>"),
        ("wrong-shape", 200, "answer"),
        ("no-choices", 200, r#""choices":[]"#),
        ("empty-content", 200, r#""content":"""#),
        ("content-filter", 200, r#""finish_reason":"content_filter""#),
        ("context-length-exceeded", 400, "context_length_exceeded"),
        ("insufficient-quota", 429, "insufficient_quota"),
        ("redirect", 302, ""),
        ("status-100", 404, "a status goes from 200"),
        ("big-1", 404, "a size goes from 2"),
        ("none-such", 404, "there is none of this name"),
    ] {
        let answer = faulty(&standin, name).await;
        assert_eq!(answer.status, status, "{name}");
        let text = String::from_utf8_lossy(&answer.body);
        assert!(text.contains(body), "{name}: {text}");
    }
}

#[tokio::test]
async fn headers_are_as_asked_for() {
    let standin = standin().await;
    for (name, header, value) in [
        ("retry-after--5", "retry-after", "-5"),
        ("retry-after-NaN", "retry-after", "NaN"),
        (
            "retry-after-Fri,%2031%20Dec%201999%2023:59:59%20GMT",
            "retry-after",
            "Fri, 31 Dec 1999 23:59:59 GMT",
        ),
        ("retry-after-ms-1500", "retry-after-ms", "1500"),
        ("redirect", "location", "/v1/models"),
        ("attachment", "content-disposition", r#"attachment; filename="stand-in.bin""#),
        ("not-json", "content-type", "application/json"),
    ] {
        assert_eq!(faulty(&standin, name).await.header(header), Some(value), "{name}");
    }
}

#[tokio::test]
async fn sequences_go_on_for_each_job() {
    let standin = standin().await;
    let statuses = async |headers: &[(&str, &str)], body: &str| {
        let mut statuses = Vec::new();
        for _ in 0..4 {
            let call = post("/faults/sequence-500-429-200", body).with(headers);
            statuses.push(call.send(standin.port()).await.status);
        }
        statuses
    };
    for job in ["job-1", "job-2"] {
        let headers = [("x-actionfleet-job-id", job)];
        assert_eq!(statuses(&headers, "{}").await, [500, 429, 200, 200]);
        assert_eq!(standin.calls()[job], 4);
    }
    for body in ["one", "another"] {
        assert_eq!(statuses(&[], body).await, [500, 429, 200, 200]);
    }
}

#[tokio::test]
async fn the_header_asks_for_them_on_any_path() {
    let standin = standin().await;
    let headers = [("x-standin-fault", "status-418")];
    assert_eq!(post("/echo", "{}").with(&headers).send(standin.port()).await.status, 418);
    assert_eq!(get("/inspect/a").with(&headers).send(standin.port()).await.status, 418);
}

#[tokio::test]
async fn sizes_are_exact() {
    let standin = standin().await;
    for size in [2, 65_537, 65_538, 5_000_000] {
        let answer = post(&format!("/faults/big-{size}"), "").send(standin.port()).await;
        assert_eq!(answer.body.len(), size);
        assert!(answer.json().is_string());
        assert_eq!(answer.header("content-length"), None);

        let answer = post(&format!("/faults/gzip-{size}"), "").send(standin.port()).await;
        let mut unpacked = Vec::new();
        GzDecoder::new(answer.body.as_slice()).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked.len(), size);
    }
}

#[tokio::test]
async fn gzip_packs_what_was_asked_for() {
    let standin = standin().await;
    let answer = faulty(&standin, "gzip").await;
    assert_eq!(answer.header("content-encoding"), Some("gzip"));
    let mut unpacked = String::new();
    GzDecoder::new(answer.body.as_slice()).read_to_string(&mut unpacked).unwrap();
    assert!(unpacked.contains("A b"), "{unpacked}");
}

#[tokio::test]
async fn reset_breaks_off_in_the_body() {
    let standin = standin().await;
    let mut stream = post("/faults/reset", "{}").open(standin.port()).await;
    let mut read = Vec::new();
    let error = stream.read_to_end(&mut read).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let read = String::from_utf8(read).unwrap();
    assert!(read.starts_with("HTTP/1.0 200") && read.ends_with("chatcmpl"), "{read}");
}

#[tokio::test]
async fn drip_goes_on_and_hang_says_nothing() {
    let standin = standin().await;
    let mut dripping = post("/faults/drip", "{}").open(standin.port()).await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n  ") {
        head.push(dripping.read_u8().await.unwrap());
    }
    let mut hanging = post("/faults/hang", "{}").open(standin.port()).await;
    // it is received when it is in flight, and answered only by the end of the stand-in
    while standin.stats().in_flight == 0 {
        tokio::task::yield_now().await;
    }
    drop(standin);
    let mut read = Vec::new();
    let _ = hanging.read_to_end(&mut read).await;
    assert_eq!(read, b"");
}

#[test]
fn unknown_names_say_what_is_wrong() {
    let error = "sequence-200-x".parse::<Fault>().unwrap_err();
    assert_eq!(error.to_string(), r#""sequence-200-x" is no fault: a status goes from 200 to 599"#);
}
