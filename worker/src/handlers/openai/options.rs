//! What a job can choose: `action_handler_options`.

use actionfleet_proto::{
    Code, Map,
    definition::{Model, Provider},
};
use serde_json::Value;

use crate::{definitions::nearest, handler::HandlerError};

const KNOWN: [&str; 7] =
    ["provider", "model", "prompt", "system_prompt", "temperature", "max_tokens", "extra"];

/// Members of the request that are the handler's own, or that would change the shape of the answer.
const RESERVED: [&str; 6] = ["model", "messages", "temperature", "max_tokens", "stream", "n"];

/// Null is as good as absent.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ChatOptions {
    pub(super) provider: Option<String>,
    pub(super) model: Option<String>,
    pub(super) prompt: Option<String>,
    pub(super) system_prompt: Option<String>,
    /// 0 to 2.
    pub(super) temperature: Option<f64>,
    /// At least 1.
    pub(super) max_tokens: Option<u32>,
    /// Merged into the request as it is.
    pub(super) extra: Map,
}

/// Collects what is wrong, to say it all at once.
struct Problems(Option<HandlerError>);

impl Problems {
    fn note(&mut self, field: &str, problem: impl Into<String>) {
        let field = format!("action_handler_options.{field}");
        let error = self.0.get_or_insert_with(|| {
            HandlerError::of(Code::InvalidInput, "the handler's options are not valid")
        });
        error.field_errors.insert(field, problem.into());
    }
}

impl ChatOptions {
    pub(super) fn read(map: &Map) -> Result<Self, HandlerError> {
        let (mut options, mut problems) = (Self::default(), Problems(None));
        for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
            match key.as_str() {
                "provider" => options.provider = text(key, value, &mut problems),
                "model" => options.model = text(key, value, &mut problems),
                "prompt" => options.prompt = text(key, value, &mut problems),
                "system_prompt" => options.system_prompt = text(key, value, &mut problems),
                "temperature" => {
                    options.temperature = value.as_f64().filter(|t| (0.0..=2.0).contains(t));
                    if options.temperature.is_none() {
                        problems.note(key, "must be a number from 0 to 2");
                    }
                }
                "max_tokens" => {
                    let tokens = value.as_u64().and_then(|tokens| u32::try_from(tokens).ok());
                    options.max_tokens = tokens.filter(|tokens| *tokens > 0);
                    if options.max_tokens.is_none() {
                        problems.note(key, "must be a whole number from 1");
                    }
                }
                "extra" => options.extra = extra(value, &mut problems),
                unknown => problems.note(unknown, unknown_option(unknown)),
            }
        }
        problems.0.map_or(Ok(options), Err)
    }

    /// The chosen model, by its name, and what its definition says of it.
    pub(super) fn model<'a>(
        &'a self,
        provider: &'a Provider,
    ) -> Result<(&'a str, &'a Model), HandlerError> {
        let name = self.model.as_deref().unwrap_or(&provider.default_model);
        let known = || provider.models.keys().map(String::as_str);
        provider.models.get_key_value(name).map(|(name, model)| (name.as_str(), model)).ok_or_else(
            || {
                let mut problems = Problems(None);
                let hint = match nearest(name, known()) {
                    Some(near) => format!("did you mean {near:?}?"),
                    None => format!("there are {}", known().collect::<Vec<_>>().join(", ")),
                };
                let provider = &provider.identifier;
                problems.note("model", format!("provider {provider} has no {name:?}; {hint}"));
                problems.0.unwrap_or_else(|| HandlerError::of(Code::InvalidInput, "no such model"))
            },
        )
    }

    /// The limit to ask for, within that of the model.
    pub(super) fn max_tokens(
        &self,
        provider: &Provider,
        model: &Model,
    ) -> Result<Option<u32>, HandlerError> {
        let most = model.max_tokens.unwrap_or(u32::MAX);
        let newer = self.extra.get("max_completion_tokens");
        let asked = self.max_tokens.map(u64::from).or_else(|| newer.and_then(Value::as_u64));
        if asked.is_some_and(|asked| asked > u64::from(most)) {
            let problem = format!("the model gives at most {most}");
            return Err(HandlerError::invalid_input("action_handler_options.max_tokens", problem));
        }
        if newer.is_some() {
            return Ok(self.max_tokens);
        }
        Ok(self.max_tokens.or_else(|| provider.default_max_tokens.map(|default| default.min(most))))
    }
}

fn text(key: &str, value: &Value, problems: &mut Problems) -> Option<String> {
    let text = value.as_str().map(str::to_owned);
    if text.is_none() {
        problems.note(key, "must be a text");
    }
    text
}

fn extra(value: &Value, problems: &mut Problems) -> Map {
    let Value::Object(extra) = value else {
        problems.note("extra", "must be an object");
        return Map::new();
    };
    for key in RESERVED.iter().filter(|key| extra.contains_key(**key)) {
        let way_out =
            if KNOWN.contains(key) { "use the option of that name" } else { "leave it out" };
        problems.note(&format!("extra.{key}"), format!("is the handler's own; {way_out}"));
    }
    extra.clone()
}

fn unknown_option(name: &str) -> String {
    match nearest(name, KNOWN) {
        Some(near) => format!("is not known; did you mean {near}?"),
        None => format!("is not known; there are {}; others go into extra", KNOWN.join(", ")),
    }
}

#[cfg(test)]
#[path = "options_tests.rs"]
mod tests;
