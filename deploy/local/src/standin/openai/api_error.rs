use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

const INVALID_REQUEST: &str = "invalid_request_error";
const SERVER_ERROR: &str = "server_error";

/// An error in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`.
#[derive(Debug)]
pub(in crate::standin) struct ApiError {
    status: StatusCode,
    message: String,
    kind: &'static str,
    param: Option<String>,
    code: Option<&'static str>,
    retry_after: Option<&'static str>,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), kind, param: None, code: None, retry_after: None }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, INVALID_REQUEST, message)
    }

    pub(super) fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    pub(super) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    pub(super) fn no_key() -> Self {
        let message = "the header `Authorization: Bearer <key>` is missing; any key will do";
        Self::new(StatusCode::UNAUTHORIZED, INVALID_REQUEST, message).code("invalid_api_key")
    }

    pub(in crate::standin) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, INVALID_REQUEST, message).code("unknown_url")
    }

    pub(super) fn model_not_found(model: &str) -> Self {
        let message = format!("the model {model:?} does not exist; try \"{}\"", super::MODEL);
        Self::new(StatusCode::NOT_FOUND, INVALID_REQUEST, message)
            .param("model")
            .code("model_not_found")
    }

    pub(in crate::standin) fn invalid_json() -> Self {
        Self::invalid("the body of the request is not JSON")
    }

    pub(in crate::standin) fn too_large() -> Self {
        let message = "the body of the request is too large or broke off";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, INVALID_REQUEST, message)
    }

    pub(in crate::standin) fn context_length_exceeded() -> Self {
        Self::invalid("the messages are longer than the model's context, on demand")
            .param("messages")
            .code("context_length_exceeded")
    }

    pub(in crate::standin) fn rate_limited(retry_after: &'static str) -> Self {
        let mut error = Self::on_demand(StatusCode::TOO_MANY_REQUESTS);
        error.retry_after = Some(retry_after);
        error
    }

    pub(in crate::standin) fn unavailable() -> Self {
        Self::on_demand(StatusCode::SERVICE_UNAVAILABLE)
    }

    pub(in crate::standin) fn insufficient_quota() -> Self {
        let message = "the stand-in's account has no money left, on demand";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "insufficient_quota", message)
            .code("insufficient_quota")
    }

    /// The error that goes with a status, and for one that is no error an error all the same.
    pub(in crate::standin) fn on_demand(status: StatusCode) -> Self {
        let message = format!("the stand-in answers {status} on demand");
        match status {
            StatusCode::TOO_MANY_REQUESTS => {
                Self::new(status, "requests", message).code("rate_limit_exceeded")
            }
            StatusCode::UNAUTHORIZED => {
                Self::new(status, INVALID_REQUEST, message).code("invalid_api_key")
            }
            _ if status.is_server_error() => Self::new(status, SERVER_ERROR, message),
            _ => Self::new(status, INVALID_REQUEST, message),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({ "error": {
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        }});
        let mut response = (self.status, Json(body)).into_response();
        if let Some(value) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(value));
        }
        response
    }
}
