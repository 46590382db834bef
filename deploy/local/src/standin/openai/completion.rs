use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::api_error::ApiError;
use super::request::{ChatRequest, Content};
use super::{copy_editor, picture};

/// The name that every answer bears, whichever stand-in was asked for.
pub(super) const MODEL: &str = "stand-in-1";

/// A usual rule of thumb for English text.
const BYTES_PER_TOKEN: usize = 4;

/// What OpenAI counts for a small picture.
const TOKENS_PER_PICTURE: u64 = 85;

/// Describes the pictures of the last user message, or corrects its text.
pub(super) fn answer(request: &ChatRequest) -> Result<Value, ApiError> {
    let subject = request.subject().ok_or_else(|| {
        ApiError::invalid("there is no message of role \"user\" to work on").param("messages")
    })?;
    let pictures = subject.pictures().map(picture::describe).collect::<Result<Vec<_>, _>>()?;
    let answer = if pictures.is_empty() {
        copy_editor::correct(&subject.text())
    } else {
        pictures.join("\n")
    };
    let (answer, finish_reason) = limit(&answer, request.max_tokens());
    Ok(completion(&choice(answer, finish_reason), prompt_tokens(request), tokens(answer)))
}

/// A completion with one choice, as if it had cost nothing.
pub(in crate::standin) fn of(content: &str, finish_reason: &str) -> Value {
    completion(&choice(content, finish_reason), 0, 0)
}

pub(in crate::standin) fn without_choices() -> Value {
    completion(&json!([]), 0, 0)
}

fn choice(content: &str, finish_reason: &str) -> Value {
    json!([{
        "index": 0,
        "message": { "role": "assistant", "content": content, "refusal": null },
        "logprobs": null,
        "finish_reason": finish_reason,
    }])
}

fn completion(choices: &Value, prompt_tokens: u64, completion_tokens: u64) -> Value {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let created = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    json!({
        "id": format!("chatcmpl-stand-in-{number}"),
        "object": "chat.completion",
        "created": created,
        "model": MODEL,
        "choices": choices,
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens.saturating_add(completion_tokens),
        },
        "system_fingerprint": "stand-in",
    })
}

fn prompt_tokens(request: &ChatRequest) -> u64 {
    let contents = request.messages.iter().flatten().filter_map(|message| message.content.as_ref());
    contents.map(content_tokens).fold(0, u64::saturating_add)
}

fn content_tokens(content: &Content) -> u64 {
    let pictures = content.pictures().map(|_| TOKENS_PER_PICTURE).fold(0, u64::saturating_add);
    tokens(&content.text()).saturating_add(pictures)
}

fn tokens(text: &str) -> u64 {
    u64::try_from(text.len().div_ceil(BYTES_PER_TOKEN)).unwrap_or(u64::MAX)
}

/// The beginning of an answer that would be too long, and why it ends.
fn limit(answer: &str, max_tokens: Option<u64>) -> (&str, &'static str) {
    let max_bytes = max_tokens
        .and_then(|tokens| usize::try_from(tokens).ok())
        .map_or(usize::MAX, |tokens| tokens.saturating_mul(BYTES_PER_TOKEN));
    if answer.len() <= max_bytes {
        return (answer, "stop");
    }
    let end = answer.floor_char_boundary(max_bytes);
    (answer.get(..end).unwrap_or_default(), "length")
}
