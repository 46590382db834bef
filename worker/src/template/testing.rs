//! Templates rendered for a job, for tests.
#![expect(clippy::needless_pass_by_value, reason = "values are written in place, as json!")]

use std::collections::HashMap;

use actionfleet_proto::definition::HttpAction;
use serde_json::{Value, json};

use super::{RenderedRequest, RequestTemplate, Scope};
use crate::{
    handler::{Context, HandlerError},
    handlers::testing::context,
    secrets::EnvSecrets,
};

/// Knows `API_KEY` alone.
pub(super) fn secrets() -> EnvSecrets {
    let variables = HashMap::from([("API_KEY", "k&y=1")]);
    EnvSecrets::reading(move |name| variables.get(name).map(|value| (*value).to_owned()))
}

pub(super) fn with_arguments(arguments: Value) -> Context {
    let mut context = context(json!({"arguments": arguments}));
    context.options = std::sync::Arc::new(crate::handler::Options {
        runtime: serde_json::from_value(json!({"languageCode": "eng-GB"})).unwrap(),
        ..Default::default()
    });
    context
}

/// A definition of these fields, and `https://api.example.com/` where there is no `url`.
pub(super) fn compile(fields: Value) -> Result<RequestTemplate, Vec<String>> {
    let mut definition = json!({
        "kind": "http_action", "identifier": "test", "method": "POST",
        "url": "https://api.example.com/"
    });
    definition.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let action: HttpAction = serde_json::from_value(definition).unwrap();
    RequestTemplate::compile(&action).map_err(|problems| {
        problems.into_iter().map(|p| format!("{}: {}", p.field, p.problem)).collect()
    })
}

pub(super) fn render(fields: Value, arguments: Value) -> Result<RenderedRequest, HandlerError> {
    let (context, secrets) = (with_arguments(arguments), secrets());
    compile(fields).unwrap().render(Scope::new(&context, &secrets))
}

pub(super) fn body(request: &RenderedRequest) -> Value {
    let bytes = request.request.body().unwrap().as_bytes().unwrap();
    serde_json::from_slice(bytes).unwrap()
}
