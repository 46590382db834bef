use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    DefinitionKind, Problem,
    texts::{self, Texts},
};
use crate::{
    input::InputKind,
    names::check_definition_identifier,
    retry::{RetryOptions, RetryPolicy},
    time::Span,
};

/// A template of actions: what goes in, what comes out, and what can be chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionType {
    /// `action_type`.
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
    pub input: InputKind,
    /// `text` or `json`.
    pub output: OutputKind,
    /// JSON Schema (2020-12) of the job's `action_type_options`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Value>,
    /// Goes before every prompt of this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_prompt: Option<String>,
    /// The handler to use; chosen by what handlers support where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handler: Option<String>,
    /// The provider to use; the only one, or the one called `openai`, where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
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
#[serde(rename_all = "snake_case")]
pub enum OutputKind {
    Text,
    Json,
}

impl ActionType {
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = texts::problems(&self.names, &self.descriptions);
        if let Err(rule) = check_definition_identifier(&self.identifier) {
            problems.push(Problem::new("identifier", rule.to_string()));
        }
        if let Some(Err(problem)) = self.retry.as_ref().map(|r| RetryPolicy::DEFAULT.with(r)) {
            problems.push(Problem::new("retry", problem));
        }
        problems
    }
}

/// The action types that exist without any definition; a definition of the same identifier
/// replaces them.
pub fn builtin_action_types() -> Vec<ActionType> {
    let action_type =
        |identifier: &str, name: &str, input, options, base_prompt: &str| ActionType {
            kind: DefinitionKind::ActionType,
            identifier: identifier.to_owned(),
            names: Texts::from([("eng-GB".to_owned(), name.to_owned())]),
            descriptions: Texts::new(),
            enabled: None,
            input,
            output: OutputKind::Text,
            options: Some(options),
            base_prompt: Some(base_prompt.to_owned()),
            handler: None,
            provider: None,
            timeout: None,
            retry: None,
            tenants: None,
        };
    vec![
        action_type(
            "refine_text",
            "Refine text",
            InputKind::Text,
            json!({"type": "object"}),
            "Improve the text that the user gives you: correct its spelling, grammar and style. \
             Keep its meaning, language and markup. Answer with the improved text alone.",
        ),
        action_type(
            "generate_alt_text",
            "Generate alternative text",
            InputKind::Image,
            json!({
                "type": "object",
                "properties": {"max_length": {"type": "integer", "minimum": 1, "maximum": 2000}}
            }),
            "Write the alternative text of the picture for readers who cannot see it: one plain \
             sentence that says what matters. Answer with that sentence alone.",
        ),
    ]
}
