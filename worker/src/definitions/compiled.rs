//! Definitions with everything ready that a job needs of them.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use actionfleet_proto::{
    Code, Input, InputKind,
    definition::{ActionType, Definition, DefinitionKind, HttpAction, Problem, Provider},
};
use actionfleet_store::DEFAULT_TENANT;
use reqwest::{StatusCode, Url};
use serde_json::Value;

use super::schema::Schema;
use crate::{
    handler::{HandlerError, Options},
    secrets::is_secret_name,
    template::{Path, RequestTemplate, arguments},
};

#[derive(Debug)]
pub struct CompiledProvider {
    pub definition: Arc<Provider>,
    /// What its calls are counted as, and its circuit is called.
    pub(crate) backend: Arc<str>,
    /// Where chat completions are asked for.
    pub(crate) chat_completions: Url,
}

#[derive(Debug)]
pub struct CompiledActionType {
    pub definition: Arc<ActionType>,
    options: Option<Schema>,
}

#[derive(Debug)]
pub struct CompiledHttpAction {
    pub definition: Arc<HttpAction>,
    /// What its calls are counted as, and its circuit is called.
    pub(crate) backend: Arc<str>,
    pub(crate) request: RequestTemplate,
    /// The names of all that it may take, and of no others that matter.
    pub(crate) secrets: Vec<String>,
    pub(crate) mapping: Option<Path>,
    parameters: Option<Schema>,
}

#[derive(Debug, Clone)]
pub(super) enum Compiled {
    Provider(Arc<CompiledProvider>),
    ActionType(Arc<CompiledActionType>),
    HttpAction(Arc<CompiledHttpAction>),
}

impl Compiled {
    /// Of a definition that a tenant has.
    pub(super) fn new(definition: Definition, tenant: &str) -> Result<Self, Vec<Problem>> {
        let backend = backend(definition.identifier(), tenant);
        match definition {
            Definition::Provider(provider) => {
                CompiledProvider::new(provider, backend).map(Arc::new).map(Self::Provider)
            }
            Definition::ActionType(action_type) => {
                CompiledActionType::new(action_type).map(Arc::new).map(Self::ActionType)
            }
            Definition::HttpAction(action) => {
                CompiledHttpAction::new(action, backend).map(Arc::new).map(Self::HttpAction)
            }
        }
    }

    pub(super) fn definition(&self) -> Definition {
        match self {
            Self::Provider(provider) => Definition::Provider((*provider.definition).clone()),
            Self::ActionType(compiled) => Definition::ActionType((*compiled.definition).clone()),
            Self::HttpAction(action) => Definition::HttpAction((*action.definition).clone()),
        }
    }

    /// What it says of whether it is enabled.
    pub(super) fn enabled(&self) -> Option<bool> {
        match self {
            Self::Provider(provider) => provider.definition.enabled,
            Self::ActionType(action_type) => action_type.definition.enabled,
            Self::HttpAction(action) => action.definition.enabled,
        }
    }

    pub(super) fn name(&self) -> (DefinitionKind, &str) {
        let kind = match self {
            Self::Provider(_) => DefinitionKind::Provider,
            Self::ActionType(_) => DefinitionKind::ActionType,
            Self::HttpAction(_) => DefinitionKind::HttpAction,
        };
        (kind, self.identifier())
    }

    pub(super) fn identifier(&self) -> &str {
        match self {
            Self::Provider(provider) => &provider.definition.identifier,
            Self::ActionType(action_type) => &action_type.definition.identifier,
            Self::HttpAction(action) => &action.definition.identifier,
        }
    }
}

/// A tenant's own backend must not open the circuit of another's; no identifier has an `@`.
fn backend(identifier: &str, tenant: &str) -> Arc<str> {
    if tenant == DEFAULT_TENANT {
        return identifier.into();
    }
    format!("{identifier}@{tenant}").into()
}

impl CompiledProvider {
    fn new(definition: Provider, backend: Arc<str>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        if definition.api_key.as_deref().is_some_and(|name| !is_secret_name(name)) {
            let problem = "names the secret that holds the key, such as OPENAI_API_KEY; A-Z, 0-9 \
                           and _ are allowed. The key itself does not belong here";
            problems.push(Problem::new("api_key", problem));
        }
        match chat_completions(&definition.base_url) {
            Ok(chat_completions) if problems.is_empty() => {
                return Ok(Self { definition: Arc::new(definition), backend, chat_completions });
            }
            Ok(_) => {}
            Err(problem) => problems.push(Problem::new("base_url", problem)),
        }
        Err(problems)
    }
}

/// A query, such as Azure's `api-version`, stays at the end.
fn chat_completions(base_url: &str) -> Result<Url, String> {
    let mut url = Url::parse(base_url).map_err(|error| format!("is not a URL: {error}"))?;
    url.path_segments_mut()
        .map_err(|()| "is not a URL of a server".to_owned())?
        .pop_if_empty()
        .extend(["chat", "completions"]);
    Ok(url)
}

impl CompiledActionType {
    pub(super) fn new(definition: ActionType) -> Result<Self, Vec<Problem>> {
        let options = compile_schema("options", definition.options.as_ref())?;
        Ok(Self { definition: Arc::new(definition), options })
    }

    /// Whether the job gives what the action takes: `unsupported_input`, `invalid_input`.
    pub(super) fn check(&self, input: &Input, options: &Options) -> Result<(), HandlerError> {
        let (definition, given) = (&self.definition, input.kind());
        if given != definition.input {
            return Err(unsupported(&definition.identifier, definition.input, given));
        }
        let Some(schema) = &self.options else { return Ok(()) };
        let options = Value::Object(options.action_type.clone());
        let problems = schema.problems(&options);
        invalid("the options do not match the schema", "action_type_options", problems)
    }
}

impl CompiledHttpAction {
    fn new(definition: HttpAction, backend: Arc<str>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let parameters = compile_schema("parameters", definition.parameters.as_ref())
            .unwrap_or_else(|wrong| {
                problems.extend(wrong);
                None
            });
        let mapping = definition.response.as_ref().and_then(|response| {
            let path = Path::parse(&response.path);
            path.map_err(|error| problems.push(Problem::new("response.path", error.to_string())))
                .ok()
        });
        let request =
            RequestTemplate::compile(&definition).map_err(|wrong| problems.extend(wrong)).ok();
        match request {
            Some(request) if problems.is_empty() => {
                let secrets = secret_names(&definition);
                let definition = Arc::new(definition);
                Ok(Self { definition, backend, request, secrets, mapping, parameters })
            }
            _ => Err(problems),
        }
    }

    pub(crate) fn accepts(&self, status: StatusCode) -> bool {
        match &self.definition.success_codes {
            Some(codes) => codes.contains(&status.as_u16()),
            None => status.is_success(),
        }
    }

    /// Whether the job gives what the action takes: `unsupported_input`, `invalid_input`.
    pub(super) fn check(&self, input: &Input) -> Result<(), HandlerError> {
        if matches!(input, Input::Image(_) | Input::Audio(_)) {
            let name = &self.definition.identifier;
            return Err(unsupported(name, InputKind::Arguments, input.kind()));
        }
        let Some(schema) = &self.parameters else { return Ok(()) };
        let problems = schema.problems(&Value::Object(arguments(input).into_owned()));
        invalid("the arguments do not match the schema", "", problems)
    }
}

/// What stands behind `secrets.` anywhere in the definition: a name too many is fetched in vain.
fn secret_names(definition: &HttpAction) -> Vec<String> {
    let text = serde_json::to_string(definition).unwrap_or_default();
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let names = text.split("secrets.").skip(1).map(|rest| {
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default().to_owned()
    });
    let mut names: Vec<String> = names.filter(|name| is_secret_name(name)).collect();
    names.sort();
    names.dedup();
    names
}

fn compile_schema(field: &str, schema: Option<&Value>) -> Result<Option<Schema>, Vec<Problem>> {
    schema
        .map(Schema::compile)
        .transpose()
        .map_err(|error| vec![Problem::new(field, error.to_string())])
}

fn unsupported(action: &str, takes: InputKind, given: InputKind) -> HandlerError {
    let message = format!("{action} takes {takes}, the job gives {given}");
    HandlerError::of(Code::UnsupportedInput, message)
}

fn invalid(
    message: &str,
    prefix: &str,
    problems: BTreeMap<String, String>,
) -> Result<(), HandlerError> {
    if problems.is_empty() {
        return Ok(());
    }
    let mut error = HandlerError::of(Code::InvalidInput, message);
    let name = |field: String| match (prefix, field.as_str()) {
        ("", _) => Cow::Owned(field),
        (prefix, ".") => Cow::Borrowed(prefix),
        (prefix, field) => Cow::Owned(format!("{prefix}.{field}")),
    };
    error.field_errors =
        problems.into_iter().map(|(field, problem)| (name(field).into_owned(), problem)).collect();
    Err(error)
}
