//! The part of OpenAI's protocol that the fleet speaks: chat completions.
//! <https://platform.openai.com/docs/api-reference/chat/create>

mod api_error;
pub(super) mod completion;
mod copy_editor;
mod picture;
mod request;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Uri};
use bytes::Bytes;
use serde_json::{Value, json};

use self::completion::MODEL;
use self::request::ChatRequest;
use super::Service;

pub(super) use self::api_error::ApiError;

pub(super) async fn chat(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, ApiError> {
    authorize(&headers)?;
    let request = ChatRequest::parse(&body)?;
    service.take_turn().await?;
    // pictures are decoded here: not on a thread that serves others
    tokio::task::spawn_blocking(move || completion::answer(&request))
        .await
        .map_err(|_| ApiError::unavailable())?
        .map(Json)
}

pub(super) async fn models(headers: HeaderMap) -> Result<Json<Value>, ApiError> {
    authorize(&headers)?;
    Ok(Json(json!({
        "object": "list",
        "data": [{ "id": MODEL, "object": "model", "created": 0, "owned_by": "stand-in" }],
    })))
}

pub(super) async fn unknown_url(uri: Uri) -> ApiError {
    ApiError::not_found(format!("the stand-in knows no {}", uri.path()))
}

fn authorize(headers: &HeaderMap) -> Result<(), ApiError> {
    let value = headers.get(AUTHORIZATION).ok_or_else(ApiError::no_key)?;
    match value.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")) {
        Some(key) if !key.trim().is_empty() => Ok(()),
        _ => Err(ApiError::no_key()),
    }
}
