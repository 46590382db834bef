use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::header::{CONTENT_ENCODING, LOCATION},
    response::IntoResponse,
    routing::{any, get},
};
use prometheus::{Registry, TextEncoder};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::{
    backend::{Backends, Trust},
    config::{BreakerConfig, HttpConfig, Limits},
    handlers::testing::context,
};

struct Fixture {
    backends: Backends,
    registry: Registry,
    origin: String,
}

impl Fixture {
    fn new(origin: String) -> Self {
        let registry = Registry::new();
        let http = HttpConfig { allow_networks: vec!["127.0.0.0/8".parse().unwrap()] };
        let breaker = BreakerConfig { window: 4, ..BreakerConfig::default() };
        let limits = Limits { response_bytes: 100_000, ..Limits::default() };
        let backends = Backends::new(&http, &breaker, &limits, &registry).unwrap();
        Self { backends, registry, origin }
    }

    async fn call(&self, path: &str) -> Result<Answer, HandlerError> {
        self.call_within(path, Duration::from_secs(5)).await
    }

    async fn call_within(&self, path: &str, limit: Duration) -> Result<Answer, HandlerError> {
        let url = format!("{}{path}", self.origin).parse().unwrap();
        let request = reqwest::Request::new(reqwest::Method::GET, url);
        let mut context = context(json!({"text": "x"}));
        context.deadline = Instant::now() + limit;
        context.trace.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-01".into());
        let secrets = ["hunter2".into()];
        let accepts = |status: StatusCode| status.is_success();
        self.backends.call(Trust::Guarded, "shop", request, &context, accepts, &secrets).await
    }

    async fn code(&self, path: &str) -> (Code, String) {
        let error = self.call(path).await.unwrap_err();
        assert_eq!(error.service.as_deref(), Some("shop"));
        (error.code, error.message)
    }

    fn metrics(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap()
    }
}

async fn http() -> Fixture {
    let echo = |headers: HeaderMap| async move {
        let shown = headers.iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into())
        });
        axum::Json(Value::Object(shown.collect()))
    };
    let router = Router::new()
        .route("/echo", get(echo))
        .route("/large", get(|| async { vec![b'x'; 100_001] }))
        .route("/fits", get(|| async { vec![b'x'; 100_000] }))
        .route("/moved", get(|| async { (StatusCode::FOUND, [(LOCATION, "/echo")]) }))
        .route("/empty", get(|| async { StatusCode::NO_CONTENT }))
        .route(
            "/secret",
            get(|| async {
                let headers = [("x-request-id", "for-hunter2")];
                (StatusCode::BAD_REQUEST, headers, r#"{"hunter2": ["is hunter2", 7]}"#)
            }),
        )
        .route(
            "/gzip",
            get(|| async { ([(CONTENT_ENCODING, "gzip")], "not gzip").into_response() }),
        )
        .route("/hang", any(std::future::pending::<()>))
        .route("/fails", get(|| async { StatusCode::BAD_GATEWAY }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    Fixture::new(origin)
}

/// A server that answers every connection with the same bytes and hangs up.
async fn raw(answer: &'static [u8]) -> Fixture {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer).await;
        }
    });
    Fixture::new(origin)
}

#[tokio::test]
async fn the_backend_learns_which_job_calls() {
    let answer = http().await.call("/echo").await.unwrap();
    let seen: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(seen["x-actionfleet-job-id"], "job-1");
    assert_eq!(seen["x-actionfleet-attempt"], "1");
    assert_eq!(seen["traceparent"], "00-0af7651916cd43dd8448eb211c80319c-01");
    assert!(seen["user-agent"].as_str().unwrap().starts_with("actionfleet/"));
}

#[tokio::test]
async fn responses_are_bounded() {
    let fixture = http().await;
    assert_eq!(fixture.call("/fits").await.unwrap().body.len(), 100_000);
    assert_eq!(fixture.code("/large").await.0, Code::ResponseTooLarge);
    let endless =
        raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\n1234567\r\n").await;
    let (code, message) = endless.code("/").await;
    assert_eq!(code, Code::BackendUnreachable, "{message}");
}

#[tokio::test]
async fn faults_below_http() {
    let full = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345";
    for (answer, code) in [
        (full.as_slice(), Code::BackendUnreachable),
        (b"", Code::BackendUnreachable),
        (b"what?\r\n\r\n", Code::BackendUnreachable),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n", Code::ResponseTooLarge),
    ] {
        let (found, message) = raw(answer).await.code("/").await;
        assert_eq!(found, code, "{message}");
    }
    let refused = Fixture::new("http://127.0.0.1:1".into()).code("/").await;
    let message = "cannot connect to the backend: connection refused";
    assert_eq!(refused, (Code::BackendUnreachable, message.into()));
    let (code, message) = Fixture::new("http://no-such-name.invalid".into()).code("/?key=v").await;
    assert_eq!(code, Code::BackendUnreachable);
    assert!(message.starts_with("cannot resolve the backend's name"), "{message}");
    assert!(!message.contains("key"), "{message}");
}

#[tokio::test]
async fn answers_that_are_none() {
    let fixture = http().await;
    assert_eq!(fixture.code("/moved").await.0, Code::BackendInvalidResponse);
    assert_eq!(fixture.code("/gzip").await.0, Code::BackendInvalidResponse);
    assert!(fixture.call("/empty").await.unwrap().body.is_empty());
    let response = fixture.call("/secret").await.unwrap_err().service_response.unwrap();
    assert_eq!(response.body, json!({"[redacted]": ["is [redacted]", 7]}));
    assert_eq!(response.request_id.as_deref(), Some("for-[redacted]"));
}

#[tokio::test]
async fn an_address_inside_is_blocked() {
    for origin in ["http://10.0.0.1", "http://[::1]:80", "http://169.254.169.254"] {
        let (code, message) = Fixture::new(origin.into()).code("/").await;
        assert_eq!(code, Code::BlockedAddress, "{message}");
    }
    let mut fixture = Fixture::new("http://localhost:1".into());
    fixture.backends = {
        let (http, registry) = (HttpConfig::default(), Registry::new());
        Backends::new(&http, &BreakerConfig::default(), &Limits::default(), &registry).unwrap()
    };
    let (code, message) = fixture.code("/").await;
    assert_eq!(code, Code::BlockedAddress, "{message}");
}

#[tokio::test]
async fn a_failing_backend_is_left_alone() {
    let fixture = http().await;
    for _ in 0..4 {
        assert_eq!(fixture.code("/fails").await.0, Code::BackendError);
    }
    let error = fixture.call("/echo").await.unwrap_err();
    assert_eq!(error.code, Code::CircuitOpen);
    let metrics = fixture.metrics();
    for line in [
        r#"actionfleet_backend_calls_total{backend="shop",class="backend_error"} 4"#,
        r#"actionfleet_backend_call_duration_seconds_count{backend="shop"} 4"#,
        r#"actionfleet_breaker_state{backend="shop"} 2"#,
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_counts_by_its_deadline() {
    let fixture = Arc::new(http().await);
    let error = fixture.call_within("/hang", Duration::from_millis(20)).await.unwrap_err();
    assert_eq!(error.code, Code::BackendTimeout);
    let call = fixture.call("/hang");
    assert!(tokio::time::timeout(Duration::from_millis(20), call).await.is_err());
    let metrics = fixture.metrics();
    for class in ["backend_timeout", "cancelled"] {
        let line =
            format!(r#"actionfleet_backend_calls_total{{backend="shop",class="{class}"}} 1"#);
        assert!(metrics.contains(&line), "{metrics}");
    }
}

/// The circuit after four calls without an answer, each with so much time: 0 closed, 2 open.
async fn circuit_after_timeouts(limit: Duration, end: impl AsyncFn(&Fixture, Duration)) -> u8 {
    let fixture = http().await;
    for _ in 0..4 {
        end(&fixture, limit).await;
    }
    let metrics = fixture.metrics();
    let counted = r#"actionfleet_backend_calls_total{backend="shop",class="backend_timeout"} 4"#;
    assert!(metrics.contains(counted), "{metrics}");
    let state = |state: &u8| {
        metrics.contains(&format!(r#"actionfleet_breaker_state{{backend="shop"}} {state}"#))
    };
    [0, 1, 2].into_iter().find(state).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_job_in_a_hurry_opens_no_circuit() {
    let hurried = FAIR_TIME.saturating_sub(Duration::from_millis(1));
    let timed_out = async |fixture: &Fixture, limit| {
        let error = fixture.call_within("/hang", limit).await.unwrap_err();
        assert_eq!(error.code, Code::BackendTimeout);
    };
    // the pipeline may drop the call when its time is over, before the call itself ends
    let dropped = async |fixture: &Fixture, limit| {
        tokio::select! {
            biased;
            () = tokio::time::sleep(limit) => {}
            answer = fixture.call_within("/hang", limit) => panic!("{answer:?}"),
        }
    };
    assert_eq!(circuit_after_timeouts(hurried, timed_out).await, 0);
    assert_eq!(circuit_after_timeouts(FAIR_TIME, timed_out).await, 2);
    assert_eq!(circuit_after_timeouts(hurried, dropped).await, 0);
    assert_eq!(circuit_after_timeouts(FAIR_TIME, dropped).await, 2);
}

#[test]
fn a_backend_that_refuses_is_well() {
    for code in Code::ALL {
        let expected = match code.as_str() {
            "backend_timeout" | "backend_unreachable" | "backend_error" | "backend_overloaded" => {
                Health::Bad
            }
            "cancelled" | "blocked_address" | "internal" => Health::Unknown,
            _ => Health::Good,
        };
        assert_eq!(health(Some(*code)), expected, "{code}");
    }
    assert_eq!(health(None), Health::Good);
}
