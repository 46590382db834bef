use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    DefinitionKind, Problem,
    texts::{self, Texts},
};
use crate::{
    names::check_definition_identifier,
    retry::{RetryOptions, RetryPolicy},
    time::Span,
};

/// An HTTP call as an action. `{{ name }}` in `url`, `query`, `headers` and `body` takes the job's
/// argument of that name, `{{ secrets.NAME }}` a secret; values are encoded for where they stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpAction {
    /// `http_action`.
    pub kind: DefinitionKind,
    /// What jobs name in `action`.
    pub identifier: String,
    /// By language code, such as `eng-GB`: 1 to 190 characters each.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub names: Texts,
    /// By language code, for people, each beside a name: at most 4,000 characters.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub descriptions: Texts,
    /// Whether jobs may use it. Where absent, what is in force in the catalog stays so; a new
    /// definition is enabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema (2020-12) of the job's `arguments`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
    pub method: Method,
    /// Scheme and host are fixed; values may stand in the path.
    pub url: String,
    /// A list as value repeats the key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, Value>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// Any JSON; a text that is exactly one `{{ name }}` becomes the value with its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Any 2xx where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success_codes: Option<Vec<u16>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<ResponseMapping>,
    /// The time limit of one attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryOptions>,
    /// Tenants that may use it; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenants: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// Which part of the response becomes the output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResponseMapping {
    /// Keys and indices: `data.results[0].name`; a leading `$.` is allowed.
    pub path: String,
    /// What to do where the path leads nowhere.
    #[serde(default)]
    pub missing: MissingPolicy,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingPolicy {
    /// The job fails with `mapping_failed`.
    #[default]
    Error,
    /// The output is `null`.
    Null,
    /// The output is the whole body.
    Raw,
}

impl HttpAction {
    /// Everything that is wrong with it, beyond its types and its templates.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = texts::problems(&self.names, &self.descriptions);
        if let Err(rule) = check_definition_identifier(&self.identifier) {
            problems.push(Problem::new("identifier", rule.to_string()));
        }
        if !self.url.starts_with("https://") && !self.url.starts_with("http://") {
            problems.push(Problem::new("url", "must start with https:// or http://"));
        }
        if self.body.is_some() && self.method == Method::Get {
            problems.push(Problem::new(
                "body",
                "a GET request has no body; use `query` or another `method`",
            ));
        }
        for code in self.success_codes.iter().flatten() {
            if !(200..=599).contains(code) {
                problems.push(Problem::new(
                    "success_codes",
                    format!("{code} is not a final HTTP status"),
                ));
            }
        }
        if let Some(Err(problem)) = self.retry.as_ref().map(|r| RetryPolicy::DEFAULT.with(r)) {
            problems.push(Problem::new("retry", problem));
        }
        problems
    }
}
