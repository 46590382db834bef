use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::RawQuery,
    http::{HeaderMap, StatusCode, Uri, header},
    response::IntoResponse,
    routing::{any, get, post},
};
use serde_json::json;

use super::*;
use crate::{
    handler::Advice,
    handlers::testing::{backends, context_for, secrets, serve},
};

const JSON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

async fn server() -> SocketAddr {
    let echo = |uri: Uri, RawQuery(query): RawQuery, headers: HeaderMap, body: Bytes| async move {
        let header = |name: &str| headers.get(name).map(|v| String::from_utf8_lossy(v.as_bytes()));
        axum::Json(json!({
            "path": uri.path(), "query": query, "body": String::from_utf8_lossy(&body),
            "city": header("x-city"), "key": header("authorization")
        }))
    };
    let drip = || async {
        let chunks = futures::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Ok::<_, std::io::Error>("drip"), ()))
        });
        Body::from_stream(chunks)
    };
    let found = r#"{"data": {"results": [{"id": 1, "name": "John Doe"}]}}"#;
    let router = Router::new()
        .route("/echo/{*rest}", any(echo))
        .route("/found", get(move || async move { (JSON, found) }))
        .route("/plain", get(|| async { "plain {}" }))
        .route("/binary", get(|| async { vec![0xff_u8, 0xfe] }))
        .route("/wrong", get(|| async { (JSON, "<html>") }))
        .route(
            "/problem",
            get(|| async {
                ([(header::CONTENT_TYPE, "application/problem+json; charset=utf-8")], "{\"a\":1}")
            }),
        )
        .route("/long", get(|| async { (JSON, r#"{"id": 12345678901234567890123, "n": 7}"#) }))
        .route("/none", get(|| async { StatusCode::NO_CONTENT }))
        .route("/accepted", post(|| async { (StatusCode::ACCEPTED, JSON, "{}") }))
        .route("/moved", get(|| async { (StatusCode::FOUND, [(header::LOCATION, "/found")]) }))
        .route("/large", get(|| async { vec![b'x'; 5_000_000] }))
        .route(
            "/busy",
            get(|| async {
                (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "0.2")], "slow down")
            }),
        )
        .route(
            "/invalid",
            get(|| async {
                (StatusCode::UNPROCESSABLE_ENTITY, JSON, r#"{"detail": "no"}"#).into_response()
            }),
        )
        .route("/drip", get(drip));
    serve(router).await
}

/// Executes an action of these fields against the server.
async fn execute(fields: Value, arguments: Value) -> Result<Output, HandlerError> {
    let origin = format!("http://{}", server().await);
    let mut definition = json!({"kind": "http_action", "identifier": "act", "method": "GET"});
    definition.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    definition["url"] = format!("{origin}{}", fields["url"].as_str().unwrap()).into();
    let mut context = context_for("act", json!({"arguments": arguments}), &[definition]);
    context.deadline = tokio::time::Instant::now() + Duration::from_millis(500);
    let handler = Http::new(backends(), secrets());
    assert!(handler.supports(&context.action));
    handler.handle(&context).await.map(|completion| completion.output)
}

#[tokio::test]
async fn values_arrive_where_they_belong() {
    let nasty = "a/../b?c=d&e#f \"g\"\n{{ x }} é";
    let output = execute(
        json!({
            "method": "POST", "url": "/echo/{{ v }}/end", "query": {"q": "{{ v }}"},
            "headers": {"X-City": "{{ city }}", "Authorization": "Bearer {{ secrets.API_KEY }}"},
            "body": {"v": "{{ v }}", "n": "{{ n }}"}
        }),
        json!({"v": nasty, "n": 20_251_121, "city": "Zürich"}),
    )
    .await
    .unwrap();
    let Output::Json(seen) = output else { panic!("{output:?}") };
    let encoded = "a%2F..%2Fb%3Fc%3Dd%26e%23f%20%22g%22%0A%7B%7B%20x%20%7D%7D%20%C3%A9";
    assert_eq!(seen["path"], format!("/echo/{encoded}/end"));
    assert_eq!(seen["query"], format!("q={encoded}"));
    assert_eq!((&seen["city"], &seen["key"]), (&json!("Zürich"), &json!("Bearer k&y=1")));
    let body: Value = serde_json::from_str(seen["body"].as_str().unwrap()).unwrap();
    assert_eq!(body, json!({"v": nasty, "n": 20_251_121}));
}

#[tokio::test]
async fn responses_become_outputs() {
    let map = |path: &str, missing: &str| json!({"path": path, "missing": missing});
    for (fields, expected) in [
        (json!({"url": "/plain"}), Output::Text(vec!["plain {}".into()])),
        (json!({"url": "/none"}), Output::Json(Value::Null)),
        (json!({"url": "/problem"}), Output::Json(json!({"a": 1}))),
        (json!({"url": "/accepted", "method": "POST"}), Output::Json(json!({}))),
        (json!({"url": "/invalid", "success_codes": [422]}), Output::Json(json!({"detail": "no"}))),
        (
            json!({"url": "/found", "response": map("$.data.results[0].name", "error")}),
            Output::Json(json!("John Doe")),
        ),
        (json!({"url": "/found", "response": map("a", "null")}), Output::Json(Value::Null)),
        (json!({"url": "/long", "response": map("n", "error")}), Output::Json(json!(7))),
        (json!({"url": "/problem", "response": map("b", "raw")}), Output::Json(json!({"a": 1}))),
        (
            json!({"url": "/plain", "response": map("b", "raw")}),
            Output::Text(vec!["plain {}".into()]),
        ),
    ] {
        assert_eq!(execute(fields.clone(), json!({})).await.unwrap(), expected, "{fields}");
    }
}

#[tokio::test]
async fn faults_have_their_codes() {
    for (fields, code, message) in [
        (json!({"url": "/wrong"}), Code::BackendInvalidResponse, "says that it is JSON"),
        (json!({"url": "/binary"}), Code::BackendInvalidResponse, "neither JSON nor text"),
        (json!({"url": "/moved"}), Code::BackendInvalidResponse, "redirect"),
        (json!({"url": "/large"}), Code::ResponseTooLarge, "limits.response_bytes"),
        (json!({"url": "/drip"}), Code::BackendTimeout, "in time"),
        (json!({"url": "/busy"}), Code::BackendRateLimited, "429 too many requests"),
        (json!({"url": "/invalid"}), Code::BackendRejected, "422 unprocessable entity"),
        (json!({"url": "/nowhere"}), Code::BackendRejected, "404 not found"),
        (
            json!({"url": "/none", "success_codes": [200]}),
            Code::BackendInvalidResponse,
            "not one of the success codes",
        ),
        (json!({"url": "/found", "response": {"path": "x"}}), Code::MappingFailed, "path x"),
        (json!({"url": "/plain", "response": {"path": "x"}}), Code::MappingFailed, "not JSON"),
        (json!({"url": "/long"}), Code::MappingFailed, "holds 12345678901234567890123, a whole"),
        (
            json!({"url": "/found", "headers": {"A": "{{ secrets.GONE }}"}}),
            Code::MissingSecret,
            "the secret GONE is not set",
        ),
        (json!({"url": "/{{ gone }}"}), Code::InvalidInput, "gone: is missing"),
    ] {
        let error = execute(fields.clone(), json!({})).await.unwrap_err();
        assert_eq!(error.code, code, "{fields}: {error}");
        assert!(error.message.contains(message), "{error}");
    }
    let busy = execute(json!({"url": "/busy"}), json!({})).await.unwrap_err();
    assert_eq!(busy.advice, Advice::Retryable { after: Some(Duration::from_millis(200)) });
    assert_eq!(busy.service_response.unwrap().body, "slow down");
    let mapping = execute(json!({"url": "/found", "response": {"path": "x"}}), json!({})).await;
    let mapping = mapping.unwrap_err();
    assert_eq!(mapping.service.as_deref(), Some("act"));
    assert_eq!(mapping.service_response.unwrap().status, 200);
}

/// The call itself was a success: only the handler sees that its answer cannot be used.
#[tokio::test]
async fn a_secret_that_a_backend_repeats_is_not_in_the_error() {
    let fields = json!({
        "url": "/echo/x", "headers": {"Authorization": "Bearer {{ secrets.API_KEY }}"},
        "response": {"path": "gone"},
    });
    let error = execute(fields, json!({})).await.unwrap_err();
    assert_eq!(error.code, Code::MappingFailed);
    assert_eq!(error.service_response.unwrap().body["key"], "Bearer [redacted]");
}

#[tokio::test]
async fn only_http_actions() {
    let context = context_for("refine_text", json!({"text": "x"}), &[]);
    let handler = Http::new(backends(), secrets());
    assert!(!handler.supports(&context.action));
    assert_eq!(handler.handle(&context).await.unwrap_err().code, Code::UnknownAction);
}
