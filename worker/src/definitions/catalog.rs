use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, LazyLock},
};

use actionfleet_proto::{
    Input,
    definition::{DefinitionKind, builtin_action_types},
};
use actionfleet_store::EntryKey;

use super::{
    compiled::{Compiled, CompiledActionType, CompiledHttpAction, CompiledProvider},
    nearest::nearest,
};
use crate::handler::{Action, ActionDefinition, HandlerError, Options};

/// Names that an unknown one is compared with: a job must not cost more than its call.
const COMPARED: usize = 1000;

/// What the jobs of a tenant can name, ready to execute. The built-in action types are in it unless
/// a definition of the same identifier replaces them; one that is disabled is not there for jobs.
#[derive(Debug)]
pub struct Catalog {
    providers: HashMap<String, Placed<Arc<CompiledProvider>>>,
    actions: HashMap<String, Placed<CompiledAction>>,
    /// Names of definitions that cannot be used. They hide what is behind: a tenant's jobs must not go
    /// to another service because its own is not right.
    broken_providers: HashSet<String>,
    broken_actions: HashSet<String>,
    /// What is there for every tenant, behind what this one has of its own.
    shared: Option<Arc<Catalog>>,
}

#[derive(Debug, Clone)]
pub(super) enum CompiledAction {
    Type(Arc<CompiledActionType>),
    Http(Arc<CompiledHttpAction>),
}

#[derive(Debug, Clone)]
struct Placed<T> {
    definition: T,
    enabled: bool,
    origin: Option<Origin>,
}

/// The entry that a definition comes from, where it is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) key: EntryKey,
    pub(crate) version: u32,
}

/// A definition on its way into a catalog.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) compiled: Compiled,
    pub(super) enabled: bool,
    pub(super) origin: Option<Origin>,
}

static BUILT_IN: LazyLock<Vec<Item>> = LazyLock::new(|| {
    let compiled = builtin_action_types().into_iter().map(CompiledActionType::new);
    let compiled = compiled.filter_map(Result::ok).map(Arc::new).map(Compiled::ActionType);
    compiled.map(Item::from).collect()
});

impl From<Compiled> for Item {
    /// Enabled unless it says otherwise.
    fn from(compiled: Compiled) -> Self {
        Self { enabled: compiled.enabled().unwrap_or(true), compiled, origin: None }
    }
}

impl Catalog {
    /// The built-in definitions and these, of which no two share a name.
    pub(super) fn shared(items: impl IntoIterator<Item = Item>) -> Self {
        let mut catalog = Self::before(None);
        BUILT_IN.iter().cloned().chain(items).for_each(|item| catalog.place(item));
        catalog
    }

    /// These before those that every tenant has.
    pub(super) fn over(shared: Arc<Self>, items: impl IntoIterator<Item = Item>) -> Self {
        let mut catalog = Self::before(Some(shared));
        items.into_iter().for_each(|item| catalog.place(item));
        catalog
    }

    fn before(shared: Option<Arc<Self>>) -> Self {
        Self {
            providers: HashMap::new(),
            actions: HashMap::new(),
            broken_providers: HashSet::new(),
            broken_actions: HashSet::new(),
            shared,
        }
    }

    /// Lets jobs find nothing by these names.
    pub(super) fn without(
        mut self,
        broken: impl IntoIterator<Item = (DefinitionKind, String)>,
    ) -> Self {
        for (kind, name) in broken {
            if kind == DefinitionKind::Provider {
                self.providers.remove(&name);
                self.broken_providers.insert(name);
            } else if self.actions.get(&name).is_none_or(|placed| placed.origin.is_none()) {
                // neither a built-in one, nor a good one of the other kind
                self.actions.remove(&name);
                self.broken_actions.insert(name);
            }
        }
        self
    }

    fn place(&mut self, Item { compiled, enabled, origin }: Item) {
        let name = compiled.identifier().to_owned();
        let action = match compiled {
            Compiled::Provider(definition) => {
                self.providers.insert(name, Placed { definition, enabled, origin });
                return;
            }
            Compiled::ActionType(action_type) => CompiledAction::Type(action_type),
            Compiled::HttpAction(action) => CompiledAction::Http(action),
        };
        self.actions.insert(name, Placed { definition: action, enabled, origin });
    }

    /// This catalog, then the one behind it.
    fn layers(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |catalog| catalog.shared.as_deref())
    }

    fn placed_action(&self, identifier: &str) -> Option<&Placed<CompiledAction>> {
        let has = |catalog: &&Self| {
            catalog.actions.contains_key(identifier) || catalog.broken_actions.contains(identifier)
        };
        self.layers().find(has)?.actions.get(identifier)
    }

    fn placed_provider(&self, identifier: &str) -> Option<&Placed<Arc<CompiledProvider>>> {
        let has = |catalog: &&Self| {
            catalog.providers.contains_key(identifier)
                || catalog.broken_providers.contains(identifier)
        };
        self.layers().find(has)?.providers.get(identifier)
    }

    fn enabled_action(&self, identifier: &str) -> Option<&CompiledAction> {
        self.placed_action(identifier).filter(|p| p.enabled).map(|p| &p.definition)
    }

    /// The definition that jobs mean by this name.
    pub fn action(&self, identifier: &str) -> Option<ActionDefinition> {
        Some(match self.enabled_action(identifier)? {
            CompiledAction::Type(compiled) => ActionDefinition::Type(compiled.definition.clone()),
            CompiledAction::Http(compiled) => ActionDefinition::Http(compiled.definition.clone()),
        })
    }

    pub fn provider(&self, identifier: &str) -> Option<&Arc<CompiledProvider>> {
        self.placed_provider(identifier).filter(|p| p.enabled).map(|p| &p.definition)
    }

    /// All that are enabled, each once.
    pub fn providers(&self) -> impl Iterator<Item = &Arc<CompiledProvider>> {
        let mut seen = HashSet::new();
        let names = self.layers().flat_map(|catalog| catalog.providers.keys());
        names.filter(move |name| seen.insert(*name)).filter_map(|name| self.provider(name))
    }

    pub fn http_action(&self, identifier: &str) -> Option<&Arc<CompiledHttpAction>> {
        match self.enabled_action(identifier)? {
            CompiledAction::Http(compiled) => Some(compiled),
            CompiledAction::Type(_) => None,
        }
    }

    /// Whether there is an action of this name, and somebody has switched it off.
    pub fn is_action_disabled(&self, identifier: &str) -> bool {
        self.placed_action(identifier).is_some_and(|placed| !placed.enabled)
    }

    /// Whether there is a provider of this name, and somebody has switched it off.
    pub fn is_provider_disabled(&self, identifier: &str) -> bool {
        self.placed_provider(identifier).is_some_and(|placed| !placed.enabled)
    }

    /// The name that comes nearest to an unknown one, of those that the tenant may use.
    pub fn nearest_action(&self, identifier: &str, tenant: &str) -> Option<&str> {
        let names = self.layers().flat_map(|catalog| catalog.actions.keys()).take(COMPARED);
        nearest(identifier, names.map(String::as_str).filter(|name| self.is_for(name, tenant)))
    }

    fn is_for(&self, action: &str, tenant: &str) -> bool {
        let tenants = match self.enabled_action(action) {
            Some(CompiledAction::Type(compiled)) => &compiled.definition.tenants,
            Some(CompiledAction::Http(compiled)) => &compiled.definition.tenants,
            None => return false,
        };
        tenants.as_ref().is_none_or(|tenants| tenants.iter().any(|known| known == tenant))
    }

    /// The entry that an action's definition comes from.
    pub(crate) fn origin(&self, action: &str) -> Option<&Origin> {
        self.placed_action(action)?.origin.as_ref()
    }

    /// How many definitions of the kind it has itself, with the built-in ones.
    pub(super) fn count(&self, kind: DefinitionKind) -> usize {
        let is_http = |placed: &&Placed<_>| matches!(placed.definition, CompiledAction::Http(_));
        let http = self.actions.values().filter(is_http).count();
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
        match self.enabled_action(&action.identifier) {
            Some(CompiledAction::Type(compiled)) => compiled.check(input, options),
            Some(CompiledAction::Http(compiled)) => compiled.check(input),
            None => Ok(()),
        }
    }
}

impl Default for Catalog {
    /// The built-in definitions alone.
    fn default() -> Self {
        Self::shared([])
    }
}

#[cfg(test)]
#[path = "catalog_tests.rs"]
mod tests;
