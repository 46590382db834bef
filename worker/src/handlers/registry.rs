use std::{fmt, sync::Arc};

use super::{Echo, Http, ImageToText, Sleep, TextToText};
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
        backends: &Arc<Backends>,
        secrets: &Arc<dyn Secrets>,
    ) -> Result<Self, DuplicateHandler> {
        let mut handlers = Self::default();
        handlers.register(Http::new(backends.clone(), secrets.clone()))?;
        handlers.register(TextToText::new(backends.clone(), secrets.clone()))?;
        handlers.register(ImageToText::new(backends.clone(), secrets.clone()))?;
        handlers.register(Echo)?;
        handlers.register(Sleep)?;
        Ok(handlers)
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

#[cfg(test)]
mod tests {
    use actionfleet_proto::InputKind;

    use super::*;
    use crate::{definitions::Catalog, handlers::testing::backends, secrets::EnvSecrets};

    fn built_in() -> Handlers {
        let secrets: Arc<dyn Secrets> = Arc::new(EnvSecrets::new());
        Handlers::built_in(&backends(), &secrets).unwrap()
    }

    #[test]
    fn a_second_of_a_name_is_refused() {
        let error = built_in().register(Echo).unwrap_err();
        assert_eq!(
            error.to_string(),
            "two handlers are called \"echo\"; give one of them another id"
        );
    }

    #[test]
    fn the_first_that_supports_the_action() {
        let (handlers, catalog) = (built_in(), Catalog::default());
        for (identifier, input, id) in [
            ("refine_text", InputKind::Text, Some("openai-text-to-text")),
            ("generate_alt_text", InputKind::Image, Some("openai-image-to-text")),
            ("echo", InputKind::Json, Some("echo")),
            ("sleep", InputKind::Arguments, Some("sleep")),
            ("unheard_of", InputKind::Text, None),
        ] {
            let definition = catalog.action(identifier);
            let action = Action { identifier: identifier.into(), definition, input };
            assert_eq!(handlers.supporting(&action).map(|handler| handler.id()), id);
        }
    }
}
