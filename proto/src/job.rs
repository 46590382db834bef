//! A job as a producer writes it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    input::{Input, WireInput},
    names::{InvalidName, check_identifier, check_job_id},
    retry::{RetryOptions, RetryPolicy},
    strict::strict_value,
    time::{Span, Timestamp},
};

pub type Map = serde_json::Map<String, Value>;

/// A request to execute one action once. Unknown fields are ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Job {
    /// Identity for deduplication and cancellation; the AMQP `message_id` where absent, which must
    /// be a job id then; a new one where that is absent, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whose configurations, secrets and limits; `default` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// An action type, a custom action or an integration action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The version of the action's definition in the catalog, from 1; the current one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub action_version: Option<u32>,
    /// A stored action configuration. Refused until configurations can be stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// An explicit handler; resolved where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handler: Option<String>,
    #[schemars(with = "WireInput")]
    pub input: Input,
    /// What the action may know of its surroundings, such as `languageCode`.
    #[serde(default, skip_serializing_if = "Map::is_empty", deserialize_with = "strict_value")]
    pub runtime_context: Map,
    /// Given, it replaces the configuration's options; the two are never merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action_context: Option<ActionContext>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryOptions>,
    /// The time limit of one attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// After it the job is not started, and its status is `expired`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    /// Like `deadline`, counted from when the job was put on the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<Span>,
    /// The earliest start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Like `not_before`, counted from when the job was put on the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Span>,
    /// Where the result goes; the AMQP `reply_to` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// Which notifications to publish; `["failed"]` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Vec<NotifyOn>>,
    /// At most 8 KiB of JSON, echoed in everything about the job.
    #[serde(default, skip_serializing_if = "Map::is_empty", deserialize_with = "strict_value")]
    pub metadata: Map,
}

/// Three of the four option bags; the fourth is `runtime_context`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActionContext {
    #[serde(default, skip_serializing_if = "Map::is_empty", deserialize_with = "strict_value")]
    pub action_type_options: Map,
    #[serde(default, skip_serializing_if = "Map::is_empty", deserialize_with = "strict_value")]
    pub action_handler_options: Map,
    #[serde(default, skip_serializing_if = "Map::is_empty", deserialize_with = "strict_value")]
    pub system_options: Map,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "an object with `queue`, with `exchange` and `routing_key`, or with `webhook`"
)]
pub enum Reply {
    Queue {
        queue: String,
    },
    Exchange {
        exchange: String,
        routing_key: String,
    },
    /// The name of a stored endpoint. Refused until endpoints can be stored.
    Webhook {
        webhook: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotifyOn {
    Started,
    Progress,
    Retrying,
    Completed,
    Failed,
}

type NameRule = fn(&str) -> Result<(), InvalidName>;

/// Why a body is not a job; the text names the field, the problem and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct InvalidJob {
    /// The path of the offending field, `.` for the whole.
    pub field: String,
    pub problem: String,
}

impl Job {
    pub const METADATA_MAX: usize = 8 * 1024;

    pub fn new(action: impl Into<String>, input: Input) -> Self {
        Self {
            id: None,
            tenant: None,
            action: Some(action.into()),
            action_version: None,
            configuration: None,
            handler: None,
            input,
            runtime_context: Map::new(),
            action_context: None,
            retry: None,
            timeout: None,
            deadline: None,
            expires_in: None,
            not_before: None,
            delay: None,
            reply: None,
            notify: None,
            metadata: Map::new(),
        }
    }

    /// Reads and validates a job. Total: any bytes give a job or say what is wrong with them.
    pub fn from_slice(body: &[u8]) -> Result<Self, InvalidJob> {
        let text = std::str::from_utf8(body).map_err(|error| InvalidJob {
            field: ".".into(),
            problem: format!("the body is not UTF-8: invalid byte at {}", error.valid_up_to()),
        })?;
        // serde would take a list as a struct's fields in order
        if !text.trim_start().starts_with('{') {
            let problem = "the body is not a JSON object; expected {\"action\": …, \"input\": …}";
            return Err(InvalidJob { field: ".".into(), problem: problem.into() });
        }
        let job: Self = serde_json::from_str(text).map_err(|_| Self::locate(text))?;
        job.validate()?;
        Ok(job)
    }

    /// Reads a second time, slower, to find the path of what serde refused.
    fn locate(text: &str) -> InvalidJob {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        match serde_path_to_error::deserialize::<_, Self>(&mut deserializer) {
            Err(error) => {
                let field = match error.path().to_string() {
                    unknown if unknown == "?" => ".".to_owned(),
                    path => path,
                };
                InvalidJob { problem: format!("{field}: {}", error.inner()), field }
            }
            Ok(_) => InvalidJob {
                field: ".".into(),
                problem: "the body goes on after the job's closing brace".into(),
            },
        }
    }

    /// The rules that types do not carry; [`Job::from_slice`] has applied them.
    pub fn validate(&self) -> Result<(), InvalidJob> {
        let invalid = |field: &str, problem: String| InvalidJob { field: field.into(), problem };
        if self.action.is_none() && self.configuration.is_none() {
            return Err(invalid("action", "action: missing; name the action to execute".into()));
        }
        let names: [(&str, &Option<String>, NameRule); 5] = [
            ("id", &self.id, check_job_id),
            ("tenant", &self.tenant, check_identifier),
            ("action", &self.action, check_identifier),
            ("configuration", &self.configuration, check_identifier),
            ("handler", &self.handler, check_identifier),
        ];
        for (field, name, check) in names {
            if let Some(Err(rule)) = name.as_deref().map(check) {
                return Err(invalid(field, format!("{field}: {rule}")));
            }
        }
        for (field, both, other) in [
            ("delay", self.delay.is_some() && self.not_before.is_some(), "not_before"),
            ("expires_in", self.expires_in.is_some() && self.deadline.is_some(), "deadline"),
        ] {
            if both {
                return Err(invalid(
                    field,
                    format!("{field}: give either it or `{other}`, not both"),
                ));
            }
        }
        if let Some(options) = &self.retry {
            RetryPolicy::DEFAULT
                .with(options)
                .map_err(|problem| invalid("retry", problem.into()))?;
        }
        if self.action_version == Some(0) {
            return Err(invalid("action_version", "action_version: versions count from 1".into()));
        }
        if self.timeout.is_some_and(|limit| limit.0.is_zero()) {
            return Err(invalid("timeout", "timeout: must be longer than nothing".into()));
        }
        let metadata = serde_json::to_string(&self.metadata).map_or(usize::MAX, |json| json.len());
        if metadata > Self::METADATA_MAX {
            let problem = format!(
                "metadata: {metadata} bytes of JSON; at most {} are carried",
                Self::METADATA_MAX
            );
            return Err(invalid("metadata", problem));
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "job_tests.rs"]
mod tests;
