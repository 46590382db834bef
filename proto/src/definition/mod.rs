//! What an operator writes down for the fleet: providers, action types and HTTP actions, one
//! definition a file. Unknown keys are refused here, unlike in messages.

mod action_type;
mod http_action;
mod provider;
mod texts;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use action_type::{ActionType, OutputKind, builtin_action_types};
pub use http_action::{HttpAction, Method, MissingPolicy, ResponseMapping};
pub use provider::{Model, Price, Provider};
pub use texts::{
    DESCRIPTION_MAX, LANGUAGES_MAX, NAME_MAX, Texts, check_description, check_language, check_name,
};

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DefinitionKind {
    Provider,
    ActionType,
    HttpAction,
}

impl DefinitionKind {
    pub const ALL: [Self; 3] = [Self::Provider, Self::ActionType, Self::HttpAction];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::ActionType => "action_type",
            Self::HttpAction => "http_action",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Definition {
    Provider(Provider),
    ActionType(ActionType),
    HttpAction(HttpAction),
}

impl Definition {
    pub fn kind(&self) -> DefinitionKind {
        match self {
            Self::Provider(_) => DefinitionKind::Provider,
            Self::ActionType(_) => DefinitionKind::ActionType,
            Self::HttpAction(_) => DefinitionKind::HttpAction,
        }
    }

    pub fn identifier(&self) -> &str {
        match self {
            Self::Provider(provider) => &provider.identifier,
            Self::ActionType(action_type) => &action_type.identifier,
            Self::HttpAction(action) => &action.identifier,
        }
    }

    /// Names and descriptions by language.
    pub const fn texts(&self) -> (&Texts, &Texts) {
        match self {
            Self::Provider(provider) => (&provider.names, &provider.descriptions),
            Self::ActionType(action_type) => (&action_type.names, &action_type.descriptions),
            Self::HttpAction(action) => (&action.names, &action.descriptions),
        }
    }

    /// What it says of whether it is enabled.
    pub const fn enabled(&self) -> Option<bool> {
        match self {
            Self::Provider(provider) => provider.enabled,
            Self::ActionType(action_type) => action_type.enabled,
            Self::HttpAction(action) => action.enabled,
        }
    }
}

/// One thing wrong with a definition that its types do not catch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Dotted path of the field.
    pub field: String,
    /// What is wrong and the way out.
    pub problem: String,
}

impl Problem {
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}
