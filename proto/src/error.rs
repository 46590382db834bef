//! The error inside a result: bounded in size, without stack traces, secrets or request headers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    bounds::{ERROR_MAX, MESSAGE_MAX, SERVICE_BODY_MAX, cut_text, cut_value, json_len},
    code::{Code, Kind},
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBody {
    pub kind: Kind,
    pub code: Code,
    pub message: String,
    /// 400 or 500, by `kind`; the backend's own status is in `service_response`.
    pub status_code: u16,
    pub retryable: bool,
    pub action: Option<String>,
    pub handler: Option<String>,
    /// The backend's name in the definitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What is wrong, by the path of the offending field.
    pub field_errors: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_response: Option<ServiceResponse>,
    pub next: Next,
}

/// What the backend said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceResponse {
    /// The HTTP status.
    pub status: u16,
    /// Its JSON, or its text as a JSON string.
    pub body: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// Where the message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// Kept on the dead-letter queue; can be replayed.
    DeadLettered,
    /// Gone; the producer has the only copy.
    Discarded,
    /// Waits for its next attempt (in `retrying` notifications only).
    Retrying,
}

impl ErrorBody {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            kind: code.kind(),
            code,
            message: message.into(),
            status_code: code.kind().status_code(),
            retryable: code.is_retryable(),
            action: None,
            handler: None,
            service: None,
            field_errors: BTreeMap::new(),
            service_response: None,
            next: Next::Discarded,
        }
    }

    /// The same error within the contract's bounds, in bytes of JSON.
    pub fn bounded(mut self) -> Self {
        self.message = cut_text(&self.message, MESSAGE_MAX).into_owned();
        if let Some(response) = &mut self.service_response {
            response.body = cut_value(std::mem::take(&mut response.body), SERVICE_BODY_MAX);
            response.request_id =
                response.request_id.take().map(|id| cut_text(&id, 100).into_owned());
        }
        for problem in self.field_errors.values_mut() {
            *problem = cut_text(problem, 500).into_owned();
        }
        while json_len(&self) > ERROR_MAX && self.field_errors.pop_last().is_some() {}
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounds::SERVICE_RESPONSE_MAX;

    proptest::proptest! {
        #[test]
        fn an_error_is_bounded_whatever_it_holds(message: String, times in 1usize..4000, body: String, fields in proptest::collection::btree_map(".{0,60}", ".{0,900}", 0..60)) {
            let mut error = ErrorBody::new(Code::BackendRejected, message.repeat(times % 50));
            error.field_errors = fields;
            error.service_response = Some(ServiceResponse { status: 422, body: Value::String(body.repeat(times)), request_id: Some("r".repeat(times)) });
            let bounded = error.bounded();
            proptest::prop_assert!(json_len(&bounded) <= ERROR_MAX);
            proptest::prop_assert!(json_len(&bounded.message) <= MESSAGE_MAX);
            proptest::prop_assert!(json_len(&bounded.service_response) <= SERVICE_RESPONSE_MAX);
            proptest::prop_assert_eq!(bounded.code, Code::BackendRejected);
        }
    }
}
