//! The calls of one job.

use actionfleet_proto::Code;
use futures::{TryStreamExt, stream::FuturesUnordered};
use reqwest::{
    Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};

use super::{
    action_type,
    gathered::{Gathered, Reply},
    options::ChatOptions,
    prompt,
    wire::{Content, Message, Request, Response, Tokens},
};
use crate::{
    backend::{Answer, Backends, Trust, redacted},
    definitions::{CompiledProvider, nearest},
    handler::{Completion, Context, HandlerError},
    secrets::Secrets,
};

/// Taken where nobody names one.
const DEFAULT_PROVIDER: &str = "openai";

/// Calls of one job at once.
const AT_ONCE: usize = 4;

/// Everything that the calls of one job have in common.
pub(super) struct Chat<'a> {
    backends: &'a Backends,
    context: &'a Context,
    provider: &'a CompiledProvider,
    key: Option<SecretString>,
    options: ChatOptions,
    system: Option<String>,
}

impl<'a> Chat<'a> {
    pub(super) async fn new(
        backends: &'a Backends,
        secrets: &dyn Secrets,
        context: &'a Context,
    ) -> Result<Self, HandlerError> {
        let options = ChatOptions::read(&context.options.handler)?;
        let provider = provider(context, &options)?;
        let name = &*provider.backend;
        let key = provider.definition.api_key.as_deref();
        let key = match key {
            Some(key) => {
                Some(secrets.get(&context.tenant, key).await.map_err(|e| e.service(name))?)
            }
            None => None,
        };
        let system = prompt::system(action_type(context), &options, &context.options);
        Ok(Self { backends, context, provider, key, options, system })
    }

    /// One answer for each input, in order.
    pub(super) async fn complete_all<'i>(
        &self,
        inputs: &'i [String],
        content: fn(&'i str) -> Content<'i>,
    ) -> Result<Completion, HandlerError> {
        let definition = &self.provider.definition;
        let (name, model) = self.options.model(definition)?;
        let max_tokens = self.options.max_tokens(definition, model)?;
        let max_length = prompt::max_length(&self.context.options);
        let mut gathered = Gathered::new(self.context.output_bytes);
        let total = inputs.len();
        let mut inputs = inputs.iter().enumerate();
        let mut calls = FuturesUnordered::new();
        loop {
            for (index, input) in inputs.by_ref().take(AT_ONCE - calls.len()) {
                let request = self.request(name, max_tokens, content(input));
                calls.push(self.call(index, name, request));
            }
            // the first error drops the calls in flight
            let Some((index, mut reply)) = calls.try_next().await? else { break };
            if let Some(max) = max_length {
                reply.text = prompt::cut(reply.text, max);
            }
            let done = gathered.add(index, reply)?;
            if total > 1 {
                let text = format!("{done} of {total} answers are there.");
                self.context.progress(count(done), count(total), text);
            }
        }
        Ok(gathered.into_completion(name, model))
    }

    async fn call(
        &self,
        index: usize,
        model: &str,
        request: Request<'_>,
    ) -> Result<(usize, Reply), HandlerError> {
        Ok((index, self.complete(model, request).await?))
    }

    fn request<'r>(
        &'r self,
        model: &'r str,
        max_tokens: Option<u32>,
        content: Content<'r>,
    ) -> Request<'r> {
        let mut messages = Vec::with_capacity(2);
        messages.extend(self.system.as_deref().map(|content| Message::System { content }));
        messages.push(Message::User { content });
        let default = self.provider.definition.default_temperature;
        let temperature = self.options.temperature.or(default);
        Request { model, messages, temperature, max_tokens, extra: &self.options.extra }
    }

    async fn complete(&self, model: &str, body: Request<'_>) -> Result<Reply, HandlerError> {
        let provider = &*self.provider.backend;
        let request = self.http_request(&body)?;
        drop(body);
        let accepts = |status: StatusCode| status.is_success();
        let secrets = self.key.as_slice();
        let answer = self
            .backends
            .call(Trust::Provider, provider, request, self.context, accepts, secrets)
            .await?;
        self.reply(model, &answer).map_err(|error| {
            redacted(error.service(provider).response(answer.service_response()), secrets)
        })
    }

    fn http_request(&self, body: &Request<'_>) -> Result<reqwest::Request, HandlerError> {
        let internal = |error: serde_json::Error| {
            HandlerError::of(Code::Internal, format!("the request cannot be encoded: {error}"))
        };
        let body = serde_json::to_vec(body).map_err(internal)?;
        let url = self.provider.chat_completions.clone();
        let mut request = reqwest::Request::new(Method::POST, url);
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(key) = &self.key {
            let bearer = format!("Bearer {}", key.expose_secret());
            let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| {
                let name = self.provider.definition.api_key.as_deref().unwrap_or_default();
                let message = format!("the secret {name} holds characters that no header carries");
                HandlerError::of(Code::MissingSecret, message)
            })?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        *request.body_mut() = Some(body.into());
        Ok(request)
    }

    /// Takes what is an answer, and refuses what only looks like one.
    fn reply(&self, model: &str, answer: &Answer) -> Result<Reply, HandlerError> {
        let invalid = |message: String| HandlerError::of(Code::BackendInvalidResponse, message);
        let response: Response = serde_json::from_slice(&answer.body)
            .map_err(|error| invalid(format!("the response is no chat completion: {error}")))?;
        if let Some(tokens) = response.usage {
            let provider = &self.provider.backend;
            let Tokens { prompt_tokens, completion_tokens } = tokens;
            self.backends.count_tokens(provider, model, prompt_tokens, completion_tokens);
        }
        let choice = response.choices.into_iter().next();
        let choice = choice.ok_or_else(|| invalid("the completion has no choices".to_owned()))?;
        let finish = choice.finish_reason.unwrap_or_default();
        if finish == "content_filter" {
            let message = "the backend's content filter stopped the answer";
            return Err(HandlerError::of(Code::BackendContentFiltered, message));
        }
        if let Some(refusal) = choice.message.refusal.as_deref().filter(|text| !text.is_empty()) {
            return Err(invalid(format!("the model refused: {refusal}")));
        }
        let text = choice.message.into_text().ok_or_else(|| {
            let hint = if finish == "length" { "; raise max_tokens" } else { "" };
            invalid(format!("the completion has no text (finish reason {finish:?}){hint}"))
        })?;
        Ok(Reply { text, model: response.model, tokens: response.usage })
    }
}

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}

/// The job's choice, then the action type's, then the one called `openai`, then the only one.
fn provider<'a>(
    context: &'a Context,
    options: &ChatOptions,
) -> Result<&'a CompiledProvider, HandlerError> {
    let catalog = &context.catalog;
    let names = || catalog.providers().map(|provider| provider.definition.identifier.as_str());
    let disabled = |name: &str| {
        let message = format!("the provider {name:?} is disabled");
        HandlerError::permanent(Code::ConfigurationDisabled, message)
    };
    if let Some(name) = &options.provider {
        if catalog.is_provider_disabled(name) {
            return Err(disabled(name));
        }
        return catalog.provider(name).map(AsRef::as_ref).ok_or_else(|| {
            let hint = nearest(name, names()).map(|near| format!("; did you mean {near:?}?"));
            let problem = format!("no provider is called {name:?}{}", hint.unwrap_or_default());
            HandlerError::invalid_input("action_handler_options.provider", problem)
        });
    }
    let defined = action_type(context).and_then(|action_type| action_type.provider.as_deref());
    let found = match defined {
        Some(name) => catalog.provider(name),
        // one that is switched off is not replaced by whatever other there is
        None if catalog.is_provider_disabled(DEFAULT_PROVIDER) => None,
        None => catalog.provider(DEFAULT_PROVIDER).or_else(|| match names().take(2).count() {
            1 => catalog.providers().next(),
            _ => None,
        }),
    };
    found.map(AsRef::as_ref).ok_or_else(|| {
        let wanted = defined.unwrap_or(DEFAULT_PROVIDER);
        if catalog.is_provider_disabled(wanted) {
            return disabled(wanted);
        }
        let message = match defined {
            Some(name) => format!("the action's provider {name:?} is not defined on this worker"),
            None => "no provider is chosen: name one in the action type or in the option \
                     provider, or define one called openai"
                .to_owned(),
        };
        HandlerError::permanent(Code::UnknownHandler, message)
    })
}
