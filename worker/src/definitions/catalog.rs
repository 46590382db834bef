use std::sync::Arc;

use actionfleet_proto::{
    Input,
    definition::{HttpAction, Provider},
};

use crate::handler::{Action, ActionDefinition, HandlerError, Options};

/// A consistent set of definitions, ready to execute. The built-in action types are always in it.
#[derive(Debug, Default)]
pub struct Catalog {}

impl Catalog {
    /// The definition that jobs mean by this name.
    pub fn action(&self, _identifier: &str) -> Option<ActionDefinition> {
        None
    }

    pub fn provider(&self, _identifier: &str) -> Option<&Arc<Provider>> {
        None
    }

    pub fn http_action(&self, _identifier: &str) -> Option<&Arc<HttpAction>> {
        None
    }

    /// The known name that comes nearest to an unknown one.
    pub fn nearest_action(&self, _identifier: &str) -> Option<&str> {
        None
    }

    /// Checks the input's kind (`unsupported_input`), and arguments and options against the
    /// definition's JSON Schema (`invalid_input`, with all fields at once).
    pub fn check(
        &self,
        _action: &Action,
        _input: &Input,
        _options: &Options,
    ) -> Result<(), HandlerError> {
        Ok(())
    }
}
