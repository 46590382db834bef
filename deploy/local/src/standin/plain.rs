//! A plain HTTP backend, without AI.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::openai::ApiError;
use super::{BODY_LIMIT, Service};

/// `{"echo": …}` with the JSON that was sent, byte for byte. The benchmark's backend: it parses
/// no further than to see that it is JSON.
pub(super) async fn echo(
    State(service): State<Arc<Service>>,
    body: Bytes,
) -> Result<Response, ApiError> {
    service.take_turn().await?;
    if serde_json::from_slice::<&RawValue>(&body).is_err() {
        return Err(ApiError::invalid_json());
    }
    let (before, after) = (br#"{"echo":"#, b"}");
    let mut answer = BytesMut::with_capacity(body.len().saturating_add(before.len()) + after.len());
    answer.put_slice(before);
    answer.put_slice(&body);
    answer.put_slice(after);
    Ok(([(CONTENT_TYPE, "application/json")], answer.freeze()).into_response())
}

/// What a fault gives way to where nothing else is asked for.
pub(super) async fn fine() -> Json<Value> {
    Json(json!({ "ok": true }))
}

/// Everything about the request as it came over the wire. Header values are lists, since a
/// header may come several times.
pub(super) async fn inspect(request: Request) -> Result<Json<Value>, ApiError> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_LIMIT).await.map_err(|_| ApiError::too_large())?;
    let mut headers = BTreeMap::<_, Vec<_>>::new();
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(name.as_str()).or_default().push(value);
    }
    Ok(Json(json!({
        "method": head.method.as_str(),
        "path": head.uri.path(),
        "query": head.uri.query(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
        "body_base64": STANDARD.encode(&body),
        "json": serde_json::from_slice::<Value>(&body).ok(),
    })))
}
