use std::sync::Arc;

use actionfleet_proto::{
    Code, Output,
    definition::{MissingPolicy, ResponseMapping},
};
use async_trait::async_trait;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use super::digits::exact;
use crate::{
    backend::{Answer, Backends, Trust, redacted},
    definitions::CompiledHttpAction,
    handler::{Action, ActionDefinition, Completion, Context, Handler, HandlerError},
    secrets::{Fetched, Secrets},
    template::{RenderedRequest, Scope},
};

/// Executes HTTP actions.
///
/// The output is `json` where the response says that it is JSON or a path leads into it, `null`
/// where it is empty, else `text`.
#[derive(Debug)]
pub struct Http {
    backends: Arc<Backends>,
    secrets: Arc<dyn Secrets>,
}

impl Http {
    pub fn new(backends: Arc<Backends>, secrets: Arc<dyn Secrets>) -> Self {
        Self { backends, secrets }
    }
}

#[async_trait]
impl Handler for Http {
    fn id(&self) -> &'static str {
        "http"
    }

    fn supports(&self, action: &Action) -> bool {
        matches!(action.definition, Some(ActionDefinition::Http(_)))
    }

    async fn handle(&self, context: &Context) -> Result<Completion, HandlerError> {
        let name = context.action.identifier.as_str();
        let action = context.catalog.http_action(name).ok_or_else(|| {
            let message = format!("the handler http executes HTTP actions; {name:?} is none");
            HandlerError::of(Code::UnknownAction, message)
        })?;
        let fetched = Fetched::new(&*self.secrets, &context.tenant, &action.secrets).await;
        let RenderedRequest { request, secrets } =
            action.request.render(Scope::new(context, &fetched))?;
        let accepts = |status| action.accepts(status);
        let backend = &action.backend;
        let call = self.backends.call(Trust::Guarded, backend, request, context, accepts, &secrets);
        let answer = call.await?;
        let output = output(action, &answer).and_then(|output| exact(output, &answer.body));
        output.map(Completion::from).map_err(|error| {
            let error = error.service(&**backend).response(answer.service_response());
            redacted(error, &secrets)
        })
    }
}

fn output(action: &CompiledHttpAction, answer: &Answer) -> Result<Output, HandlerError> {
    if let (Some(path), Some(response)) = (&action.mapping, &action.definition.response) {
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        return match body.as_ref().and_then(|body| path.find(body)) {
            Some(found) => Ok(Output::Json(found.clone())),
            None => missing(response, body, answer),
        };
    }
    whole(answer)
}

/// The path leads nowhere.
fn missing(
    response: &ResponseMapping,
    body: Option<Value>,
    answer: &Answer,
) -> Result<Output, HandlerError> {
    match response.missing {
        MissingPolicy::Null => Ok(Output::Json(Value::Null)),
        MissingPolicy::Raw => body.map_or_else(|| whole(answer), |body| Ok(Output::Json(body))),
        MissingPolicy::Error => {
            let path = &response.path;
            let message = match body {
                Some(_) => format!("the path {path} leads nowhere"),
                None => format!("the path {path} leads nowhere: the response is not JSON"),
            };
            Err(HandlerError::of(Code::MappingFailed, message))
        }
    }
}

fn whole(answer: &Answer) -> Result<Output, HandlerError> {
    if answer.body.is_empty() {
        return Ok(Output::Json(Value::Null));
    }
    if is_json(answer) {
        return serde_json::from_slice(&answer.body).map(Output::Json).map_err(|error| {
            let message = format!("the response says that it is JSON, but is not: {error}");
            HandlerError::of(Code::BackendInvalidResponse, message)
        });
    }
    let text = std::str::from_utf8(&answer.body).map_err(|_| {
        let message = "the response is neither JSON nor text in UTF-8";
        HandlerError::of(Code::BackendInvalidResponse, message)
    })?;
    Ok(Output::Text(vec![text.to_owned()]))
}

/// By its media type: `application/json`, or one that ends in `+json` (RFC 6839).
fn is_json(answer: &Answer) -> bool {
    let Some(value) = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
