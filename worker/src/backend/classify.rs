//! What a failed call means: from an HTTP status, or from below HTTP, to an error with a code.

use std::{borrow::Cow, error::Error, io, time::SystemTime};

use actionfleet_proto::{Code, SERVICE_BODY_MAX, ServiceResponse, cut_value};
use reqwest::{
    StatusCode,
    header::{HeaderMap, HeaderValue},
};
use secrecy::SecretString;
use serde_json::Value;

use super::{guard::BlockedAddress, redact::Redaction};
use crate::{handler::HandlerError, retry::retry_after};

/// A larger body is not an error message: its beginning is shown, as text.
const READ_MAX: usize = 64 * 1024;

/// What the caller is told of an answer that is not a success. `secrets` are those of the request;
/// none is shown.
pub fn refusal(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[SecretString],
    now: SystemTime,
) -> HandlerError {
    let read = Read::new(body);
    let code = code_of(status, &read);
    let response = read.service_response(status, headers, secrets);
    let reason = status.canonical_reason().unwrap_or("").to_ascii_lowercase();
    let what = format!("{} {reason}", status.as_u16());
    let what = what.trim_end();
    let message = match code {
        Code::BackendQuotaExhausted => "the account at the backend has no credit left".to_owned(),
        Code::BackendContextTooLong => "the input is too long for the model".to_owned(),
        Code::BackendContentFiltered => "the backend's content filter stopped the input".to_owned(),
        Code::BackendInvalidResponse if status.is_redirection() => {
            format!("the backend answered with a redirect ({what}); redirects are not followed")
        }
        Code::BackendInvalidResponse => {
            format!("the backend answered {what}, which is not one of the success codes")
        }
        _ if status.is_server_error() => format!("the backend failed: {what}"),
        _ => format!("the backend refused the call: {what}"),
    };
    HandlerError::of(code, message).after(retry_after(headers, now)).response(response)
}

/// A known error code in the body goes before the status.
fn code_of(status: StatusCode, body: &Read<'_>) -> Code {
    if status.is_client_error()
        && let Read::Json(body) = body
        && let Some(code) = known_error(body)
    {
        return code;
    }
    match status.as_u16() {
        401 | 403 => Code::BackendUnauthorized,
        408 => Code::BackendTimeout,
        425 | 429 => Code::BackendRateLimited,
        503 | 529 => Code::BackendOverloaded,
        400..=499 => Code::BackendRejected,
        500..=599 => Code::BackendError,
        _ => Code::BackendInvalidResponse,
    }
}

/// The errors of OpenAI's API and of those that speak it
/// (<https://platform.openai.com/docs/guides/error-codes>).
fn known_error(body: &Value) -> Option<Code> {
    let error = body.get("error")?;
    ["code", "type"].iter().find_map(|field| match error.get(field)?.as_str()? {
        "insufficient_quota" => Some(Code::BackendQuotaExhausted),
        "context_length_exceeded" => Some(Code::BackendContextTooLong),
        "content_filter" | "content_policy_violation" => Some(Code::BackendContentFiltered),
        _ => None,
    })
}

/// What the backend said, without the request's secrets, cut to what an error can carry.
pub fn service_response(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[SecretString],
) -> ServiceResponse {
    Read::new(body).service_response(status, headers, secrets)
}

/// A body, as far as it can be read.
enum Read<'a> {
    Json(Value),
    Text(Cow<'a, str>),
    /// The beginning of a text.
    Beginning(Cow<'a, str>),
}

impl<'a> Read<'a> {
    fn new(body: &'a [u8]) -> Self {
        match body.get(..READ_MAX) {
            Some(start) => Self::Beginning(String::from_utf8_lossy(start)),
            None => serde_json::from_slice(body)
                .map_or_else(|_| Self::Text(String::from_utf8_lossy(body)), Self::Json),
        }
    }

    fn service_response(
        self,
        status: StatusCode,
        headers: &HeaderMap,
        secrets: &[SecretString],
    ) -> ServiceResponse {
        let redaction = Redaction::of(secrets);
        let body = match self {
            Self::Json(json) => redaction.value(json),
            Self::Text(text) => redaction.text(&text).into(),
            Self::Beginning(text) => redaction.beginning(&text).into(),
        };
        let request_id = headers.get("x-request-id").map(HeaderValue::to_str).and_then(Result::ok);
        ServiceResponse {
            status: status.as_u16(),
            body: cut_value(body, SERVICE_BODY_MAX),
            request_id: request_id.map(|id| redaction.text(id).into_owned()),
        }
    }
}

/// What the caller is told of a call that failed below HTTP. The text never holds the URL, which
/// may carry a secret in its query.
pub(super) fn transport(error: &reqwest::Error) -> HandlerError {
    if let Some(blocked) = causes(error).find_map(|cause| cause.downcast_ref::<BlockedAddress>()) {
        return HandlerError::of(Code::BlockedAddress, blocked.to_string());
    }
    let io = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>());
    let (code, what) = if error.is_builder() {
        (Code::Internal, "the request cannot be built")
    } else if error.is_dns() {
        (Code::BackendUnreachable, "cannot resolve the backend's name")
    } else if error.is_connect() {
        (Code::BackendUnreachable, "cannot connect to the backend")
    } else if error.is_decode() && io.is_some_and(is_malformed) {
        (Code::BackendInvalidResponse, "the response cannot be decompressed")
    } else {
        (Code::BackendUnreachable, "the connection broke before the response was complete")
    };
    let cause = io.and_then(well_known).map(str::to_owned).or_else(|| {
        // the innermost says what happened, those around it that something did
        causes(error).last().map(ToString::to_string)
    });
    HandlerError::of(code, cause.map_or(what.to_owned(), |cause| format!("{what}: {cause}")))
}

fn causes(error: &dyn Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

fn is_malformed(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput)
}

/// Without the number of the operating system.
fn well_known(error: &io::Error) -> Option<&'static str> {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Some("connection refused"),
        io::ErrorKind::ConnectionReset => Some("connection reset"),
        io::ErrorKind::TimedOut => Some("timed out"),
        io::ErrorKind::UnexpectedEof => Some("connection closed"),
        _ => None,
    }
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
