use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use actionfleet_proto::{
    Input,
    definition::{DefinitionKind, builtin_action_types},
};

use super::{
    compiled::{Compiled, CompiledActionType, CompiledHttpAction, CompiledProvider},
    nearest::nearest,
};
use crate::handler::{Action, ActionDefinition, HandlerError, Options};

/// A consistent set of definitions, ready to execute. The built-in action types are in it unless a
/// definition of the same identifier replaces them.
#[derive(Debug)]
pub struct Catalog {
    providers: HashMap<String, Arc<CompiledProvider>>,
    actions: HashMap<String, CompiledAction>,
}

#[derive(Debug, Clone)]
enum CompiledAction {
    Type(Arc<CompiledActionType>),
    Http(Arc<CompiledHttpAction>),
}

static BUILT_IN: LazyLock<Vec<Arc<CompiledActionType>>> = LazyLock::new(|| {
    let compiled = builtin_action_types().into_iter().map(CompiledActionType::new);
    compiled.filter_map(Result::ok).map(Arc::new).collect()
});

impl Catalog {
    /// The built-in definitions and these, of which no two share an identifier.
    pub(super) fn new(definitions: impl IntoIterator<Item = Compiled>) -> Self {
        let mut catalog = Self { providers: HashMap::new(), actions: HashMap::new() };
        for definition in BUILT_IN.iter().cloned().map(Compiled::ActionType).chain(definitions) {
            let identifier = definition.identifier().to_owned();
            match definition {
                Compiled::Provider(provider) => {
                    catalog.providers.insert(identifier, provider);
                }
                Compiled::ActionType(action_type) => {
                    catalog.actions.insert(identifier, CompiledAction::Type(action_type));
                }
                Compiled::HttpAction(action) => {
                    catalog.actions.insert(identifier, CompiledAction::Http(action));
                }
            }
        }
        catalog
    }

    /// The definition that jobs mean by this name.
    pub fn action(&self, identifier: &str) -> Option<ActionDefinition> {
        Some(match self.actions.get(identifier)? {
            CompiledAction::Type(compiled) => ActionDefinition::Type(compiled.definition.clone()),
            CompiledAction::Http(compiled) => ActionDefinition::Http(compiled.definition.clone()),
        })
    }

    pub fn provider(&self, identifier: &str) -> Option<&Arc<CompiledProvider>> {
        self.providers.get(identifier)
    }

    pub fn providers(&self) -> impl Iterator<Item = &Arc<CompiledProvider>> {
        self.providers.values()
    }

    pub fn http_action(&self, identifier: &str) -> Option<&Arc<CompiledHttpAction>> {
        match self.actions.get(identifier)? {
            CompiledAction::Http(compiled) => Some(compiled),
            CompiledAction::Type(_) => None,
        }
    }

    /// The known name that comes nearest to an unknown one.
    pub fn nearest_action(&self, identifier: &str) -> Option<&str> {
        nearest(identifier, self.actions.keys().map(String::as_str))
    }

    /// How many definitions of the kind there are, with the built-in ones.
    pub fn count(&self, kind: DefinitionKind) -> usize {
        let http = self.actions.values().filter(|a| matches!(a, CompiledAction::Http(_))).count();
        match kind {
            DefinitionKind::Provider => self.providers.len(),
            DefinitionKind::ActionType => self.actions.len() - http,
            DefinitionKind::HttpAction => http,
        }
    }

    /// Checks the input's kind (`unsupported_input`), and arguments and options against the
    /// definition's JSON Schema (`invalid_input`, with all fields at once).
    pub fn check(
        &self,
        action: &Action,
        input: &Input,
        options: &Options,
    ) -> Result<(), HandlerError> {
        match self.actions.get(&action.identifier) {
            Some(CompiledAction::Type(compiled)) => compiled.check(input, options),
            Some(CompiledAction::Http(compiled)) => compiled.check(input),
            None => Ok(()),
        }
    }
}

impl Default for Catalog {
    fn default() -> Self {
        Self::new([])
    }
}
