//! Chat completions on any service that speaks OpenAI's API
//! (<https://platform.openai.com/docs/api-reference/chat>).

mod chat;
mod gathered;
mod options;
mod picture;
mod prompt;
mod wire;

use std::sync::Arc;

use actionfleet_proto::{
    Code, Input, InputKind,
    definition::{ActionType, OutputKind},
};
use async_trait::async_trait;

use self::{chat::Chat, picture::data_url, wire::Content};
use crate::{
    backend::Backends,
    handler::{Action, ActionDefinition, Completion, Context, Handler, HandlerError},
    secrets::Secrets,
};

/// Text in, text out. A list of texts yields a list of texts, each by a call of its own.
///
/// An answer that ends at `max_tokens` is a success: what there is of it may be wanted. One without
/// any text is an error.
#[derive(Debug)]
pub struct TextToText {
    backends: Arc<Backends>,
    secrets: Arc<dyn Secrets>,
}

/// Pictures in, text out, each by a call of its own.
#[derive(Debug)]
pub struct ImageToText {
    backends: Arc<Backends>,
    secrets: Arc<dyn Secrets>,
}

impl TextToText {
    pub fn new(backends: Arc<Backends>, secrets: Arc<dyn Secrets>) -> Self {
        Self { backends, secrets }
    }
}

impl ImageToText {
    pub fn new(backends: Arc<Backends>, secrets: Arc<dyn Secrets>) -> Self {
        Self { backends, secrets }
    }
}

#[async_trait]
impl Handler for TextToText {
    fn id(&self) -> &'static str {
        "openai-text-to-text"
    }

    fn supports(&self, action: &Action) -> bool {
        turns_into_text(action, InputKind::Text)
    }

    async fn handle(&self, context: &Context) -> Result<Completion, HandlerError> {
        let Input::Text(texts) = &*context.input else { return Err(wrong_input(self, context)) };
        let chat = Chat::new(&self.backends, &*self.secrets, context).await?;
        chat.complete_all(texts, Content::Text).await
    }
}

#[async_trait]
impl Handler for ImageToText {
    fn id(&self) -> &'static str {
        "openai-image-to-text"
    }

    fn supports(&self, action: &Action) -> bool {
        turns_into_text(action, InputKind::Image)
    }

    async fn handle(&self, context: &Context) -> Result<Completion, HandlerError> {
        let Input::Image(pictures) = &*context.input else {
            return Err(wrong_input(self, context));
        };
        let chat = Chat::new(&self.backends, &*self.secrets, context).await?;
        let urls = pictures.iter().enumerate().map(|(index, picture)| {
            data_url(picture).map_err(|problem| {
                HandlerError::invalid_input(format!("input.image[{index}]"), problem)
            })
        });
        chat.complete_all(&urls.collect::<Result<Vec<_>, _>>()?, Content::image).await
    }
}

fn turns_into_text(action: &Action, kind: InputKind) -> bool {
    matches!(
        &action.definition,
        Some(ActionDefinition::Type(action_type))
            if action_type.input == kind && action_type.output == OutputKind::Text
    )
}

fn wrong_input(handler: &dyn Handler, context: &Context) -> HandlerError {
    let message = format!("{} does not take {}", handler.id(), context.input.kind());
    HandlerError::of(Code::UnsupportedInput, message)
}

fn action_type(context: &Context) -> Option<&ActionType> {
    match &context.action.definition {
        Some(ActionDefinition::Type(action_type)) => Some(action_type),
        Some(ActionDefinition::Http(_)) | None => None,
    }
}

#[cfg(test)]
#[path = "openai_tests.rs"]
mod tests;
