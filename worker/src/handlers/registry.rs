use std::{fmt, sync::Arc};

use crate::{
    backend::Backends,
    handler::{Action, Handler},
    secrets::Secrets,
};

/// The handlers of a fleet in order of priority.
#[derive(Clone, Default)]
pub struct Handlers {
    handlers: Vec<Arc<dyn Handler>>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two handlers are called {0:?}; give one of them another id")]
pub struct DuplicateHandler(String);

impl Handlers {
    /// All that come with the fleet.
    pub fn built_in(
        _backends: &Arc<Backends>,
        _secrets: &Arc<dyn Secrets>,
    ) -> Result<Self, DuplicateHandler> {
        Ok(Self::default())
    }

    /// Adds a handler behind those that are there.
    pub fn register(&mut self, handler: impl Handler) -> Result<(), DuplicateHandler> {
        if self.get(handler.id()).is_some() {
            return Err(DuplicateHandler(handler.id().to_owned()));
        }
        self.handlers.push(Arc::new(handler));
        Ok(())
    }

    pub fn get(&self, id: &str) -> Option<&Arc<dyn Handler>> {
        self.handlers.iter().find(|handler| handler.id() == id)
    }

    /// The first that can execute the action.
    pub fn supporting(&self, action: &Action) -> Option<&Arc<dyn Handler>> {
        self.handlers.iter().find(|handler| handler.supports(action))
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.handlers.iter().map(|handler| handler.id())
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}
