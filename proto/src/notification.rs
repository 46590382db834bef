//! What people and dashboards may want to know while a job goes its way.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use crate::{
    bounds::{cut_text, cut_value, json_len},
    code::Code,
    error::ErrorBody,
    job::Map,
    time::Timestamp,
};

/// Bytes of JSON of the parts and of the whole.
const INPUT_MAX: usize = 2_000;
const OUTPUT_MAX: usize = 3_000;
const ERROR_MAX: usize = 2_000;
const WHOLE_MAX: usize = 10_240;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationStatus {
    Started,
    Progress,
    Retrying,
    Completed,
    Failed,
}

impl NotificationStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Progress => "progress",
            Self::Retrying => "retrying",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Info,
    Warning,
    Error,
}

/// Best effort: a failed publish of a notification never fails the job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Notification {
    pub id: String,
    pub tenant: String,
    pub action: String,
    pub handler: Option<String>,
    pub service: Option<String>,
    pub title: String,
    pub description: String,
    pub icon: Option<String>,
    pub status: NotificationStatus,
    pub attempt: u32,
    /// At most 2,000 bytes of JSON.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub input: Value,
    /// At most 3,000 bytes of JSON.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub output: Value,
    /// At most 2,000 bytes of JSON; the code always survives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<NotificationError>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// Of status `progress` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// What kind of event this is: `action-started`, `action-failed`, …
    pub slug: String,
    pub level: Level,
    /// Equal for events of one thread.
    pub dedup_key: String,
    pub metadata: Map,
    pub at: Timestamp,
}

/// How far a job is, in a unit of its handler's choice, which `description` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    pub done: u64,
    pub total: u64,
}

/// The part of an [`ErrorBody`] that a notification carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationError {
    pub code: Code,
    pub message: String,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub service_response: Value,
}

impl From<&ErrorBody> for NotificationError {
    fn from(error: &ErrorBody) -> Self {
        Self {
            code: error.code,
            message: cut_text(&error.message, 900).into_owned(),
            service_response: error
                .service_response
                .as_ref()
                .and_then(|response| serde_json::to_value(response).ok())
                .map_or(Value::Null, |response| cut_value(response, ERROR_MAX - 1_000)),
        }
    }
}

impl Notification {
    /// SHA-1 of the JSON of `{"data", "slug"}` with keys in order, in lower-case hexadecimal.
    pub fn dedup_key(slug: &str, data: &Value) -> String {
        use std::fmt::Write;

        let text = sorted(&json!({"data": data, "slug": slug})).to_string();
        let mut hex = String::with_capacity(40);
        for byte in Sha1::digest(text) {
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }

    /// The same notification within the contract's bounds. What identifies it always survives.
    pub fn bounded(mut self) -> Self {
        self.title = cut_text(&self.title, 300).into_owned();
        self.description = cut_text(&self.description, 600).into_owned();
        self.input = cut_value(self.input, INPUT_MAX);
        self.output = cut_value(self.output, OUTPUT_MAX);
        if json_len(&self) > WHOLE_MAX {
            self.metadata = Map::new();
        }
        if json_len(&self) > WHOLE_MAX {
            (self.input, self.output) = (Value::Null, Value::Null);
        }
        self
    }
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> =
                map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        leaf => leaf.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notification(input: Value, output: Value, text: &str) -> Notification {
        let mut error = ErrorBody::new(Code::BackendError, text);
        error.service_response =
            Some(crate::ServiceResponse { status: 500, body: json!(text), request_id: None });
        Notification {
            id: "x".repeat(128),
            tenant: "t".repeat(128),
            action: "a".repeat(128),
            handler: Some("h".repeat(128)),
            service: Some("s".repeat(128)),
            title: text.into(),
            description: text.into(),
            icon: None,
            status: NotificationStatus::Failed,
            attempt: 100,
            input,
            output,
            error: Some((&error).into()),
            next_attempt_at: Some(Timestamp::now()),
            progress: Some(Progress { done: u64::MAX, total: u64::MAX }),
            slug: "action-failed".into(),
            level: Level::Error,
            dedup_key: Notification::dedup_key("action-failed", &json!({"id": "x"})),
            metadata: [("m".to_owned(), json!("m".repeat(8_000)))].into_iter().collect(),
            at: Timestamp::now(),
        }
    }

    proptest::proptest! {
        #[test]
        fn a_notification_is_bounded_and_keeps_its_identity(input: String, text: String, times in 1usize..3_000) {
            let whole = notification(json!({"text": input.repeat(times)}), json!([input.repeat(times)]), &text.repeat(times));
            let bounded = whole.clone().bounded();
            proptest::prop_assert!(json_len(&bounded) <= WHOLE_MAX);
            proptest::prop_assert_eq!(bounded.id, whole.id);
            proptest::prop_assert_eq!(bounded.status, whole.status);
            proptest::prop_assert_eq!(bounded.error.unwrap().code, Code::BackendError);
        }
    }

    #[test]
    fn the_dedup_key_does_not_depend_on_the_order_of_keys() {
        let key = Notification::dedup_key("s", &json!({"b": 1, "a": [{"d": 1, "c": 2}]}));
        assert_eq!(key, Notification::dedup_key("s", &json!({"a": [{"c": 2, "d": 1}], "b": 1})));
        assert_ne!(key, Notification::dedup_key("s", &json!({"a": 1})));
        assert_eq!(key.len(), 40);
    }
}
