//! What became of a job: the result that goes to the reply address.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{code::Code, error::ErrorBody, job::Map, time::Timestamp};

/// The AMQP `type` of a result.
pub const RESULT_TYPE: &str = "actionfleet.result.v1";
/// The AMQP `type` of a notification.
pub const NOTIFICATION_TYPE: &str = "actionfleet.notification.v1";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Succeeded,
    Failed,
    Expired,
    Cancelled,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The final word on a job: `output` where it succeeded, else `error`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobResult {
    pub id: String,
    pub tenant: String,
    /// Null where the job could not be read.
    pub action: Option<String>,
    pub configuration: Option<String>,
    /// Null where none was resolved.
    pub handler: Option<String>,
    pub status: Status,
    /// One sentence for people.
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Output>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    pub attempts: Vec<Attempt>,
    pub timing: Timing,
    pub metadata: Map,
    /// The W3C trace context that the job came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// A [`JobResult`] as a worker writes it, without copies: an output may have megabytes.
#[derive(Debug, Serialize)]
pub struct JobResultRef<'a> {
    pub id: &'a str,
    pub tenant: &'a str,
    pub action: Option<&'a str>,
    pub configuration: Option<&'a str>,
    pub handler: Option<&'a str>,
    pub status: Status,
    pub message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<&'a Output>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a ErrorBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<&'a Usage>,
    pub attempts: &'a [Attempt],
    pub timing: Timing,
    pub metadata: &'a Map,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<&'a str>,
}

impl<'a> From<&'a JobResult> for JobResultRef<'a> {
    fn from(result: &'a JobResult) -> Self {
        Self {
            id: &result.id,
            tenant: &result.tenant,
            action: result.action.as_deref(),
            configuration: result.configuration.as_deref(),
            handler: result.handler.as_deref(),
            status: result.status,
            message: &result.message,
            output: result.output.as_ref(),
            error: result.error.as_ref(),
            usage: result.usage.as_ref(),
            attempts: &result.attempts,
            timing: result.timing.clone(),
            metadata: &result.metadata,
            traceparent: result.traceparent.as_deref(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Never empty.
    Text(Vec<String>),
    Json(Value),
    Files(Vec<File>),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct File {
    pub name: String,
    pub content_type: String,
    /// In bytes.
    pub size: u64,
    #[serde(flatten)]
    pub content: FileContent,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileContent {
    Base64(String),
    Url(String),
}

/// What the backend counted, as it reported it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    pub model: String,
    pub input_tokens: u64,
    pub output_tokens: u64,
    /// Where the provider's definition gives prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// A decimal number as text, so that no reader rounds it.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    pub started_at: Timestamp,
    pub duration_ms: u64,
    pub outcome: AttemptOutcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    Succeeded,
    Retry,
    Failed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Timing {
    pub enqueued_at: Timestamp,
    /// The first attempt's start; null where none was started.
    pub started_at: Option<Timestamp>,
    pub finished_at: Timestamp,
    /// From enqueued to started (or finished where never started).
    pub queued_ms: u64,
    /// The sum over the attempts.
    pub running_ms: u64,
}
