//! The variables of one job.

use std::{borrow::Cow, cell::RefCell};

use actionfleet_proto::{Input, Map};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    number::{self, all_exact},
    path::{Step, find},
};
use crate::{
    handler::{Context, HandlerError},
    secrets::SecretValues,
};

/// What the expressions of one request can see. Remembers the secrets that they took.
#[derive(Debug)]
pub struct Scope<'a> {
    context: &'a Context,
    secrets: &'a dyn SecretValues,
    taken: RefCell<Vec<SecretString>>,
}

/// A value as it lies in the job; nothing is copied that need not be.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Found<'a> {
    Value(&'a Value),
    Map(&'a Map),
    Text(&'a str),
    Owned(Value),
}

impl<'a> Scope<'a> {
    pub fn new(context: &'a Context, secrets: &'a dyn SecretValues) -> Self {
        Self { context, secrets, taken: RefCell::default() }
    }

    pub(super) fn secret(&self, name: &str) -> Result<String, HandlerError> {
        let secret = self.secrets.get(name)?;
        let value = secret.expose_secret().to_owned();
        self.taken.borrow_mut().push(secret);
        Ok(value)
    }

    pub(super) fn into_taken(self) -> Vec<SecretString> {
        self.taken.into_inner()
    }

    /// A variable by its name, without `secrets`.
    pub(super) fn variable(&self, name: &str) -> Option<Found<'a>> {
        match name {
            "arguments" => Some(match &*self.context.input {
                Input::Arguments(map) | Input::Json(Value::Object(map)) => Found::Map(map),
                input => Found::Owned(Value::Object(arguments(input).into_owned())),
            }),
            "runtime_context" => Some(Found::Map(&self.context.options.runtime)),
            "job" => Some(Found::Owned(
                json!({"id": self.context.job_id, "tenant": self.context.tenant}),
            )),
            name => self.argument(name),
        }
    }

    fn argument(&self, name: &str) -> Option<Found<'a>> {
        match (&*self.context.input, name) {
            (Input::Arguments(map) | Input::Json(Value::Object(map)), name) => {
                map.get(name).map(Found::Value)
            }
            (Input::Json(value), "input") => Some(Found::Value(value)),
            (Input::Text(texts), "text") => texts.first().map(|text| Found::Text(text)),
            (Input::Text(texts), "texts") => Some(Found::Owned(json!(texts))),
            _ => None,
        }
    }

    /// What a path leads to, from a variable on.
    pub(super) fn find(&self, name: &str, steps: &[Step]) -> Option<Found<'a>> {
        let found = self.variable(name)?;
        let Some((first, rest)) = steps.split_first() else { return Some(found) };
        match (found, first) {
            (Found::Value(value), _) => find(steps, value).map(Found::Value),
            (Found::Map(map), Step::Key(key)) => find(rest, map.get(key)?).map(Found::Value),
            (Found::Owned(value), _) => find(steps, &value).cloned().map(Found::Owned),
            (Found::Map(_), Step::Index(_)) | (Found::Text(_), _) => None,
        }
    }
}

/// The arguments that templates see, and that `parameters` of a definition describes: those of
/// the job; or the members of a `json` object; `input` for other JSON; `text` for a text, and for
/// several `text` (the first) and `texts` (all). By name, `texts` is there for one text, too.
pub fn arguments(input: &Input) -> Cow<'_, Map> {
    match input {
        Input::Arguments(map) | Input::Json(Value::Object(map)) => Cow::Borrowed(map),
        Input::Json(value) => Cow::Owned(Map::from_iter([("input".to_owned(), value.clone())])),
        Input::Text(texts) => {
            let mut map = Map::from_iter([("text".to_owned(), json!(texts.first()))]);
            if texts.len() > 1 {
                map.insert("texts".to_owned(), json!(texts));
            }
            Cow::Owned(map)
        }
        Input::Image(_) | Input::Audio(_) => Cow::Owned(Map::new()),
    }
}

impl Found<'_> {
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Value(Value::Null) | Self::Owned(Value::Null))
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Option<&[Value]> {
        match self {
            Self::Value(Value::Array(items)) | Self::Owned(Value::Array(items)) => Some(items),
            _ => None,
        }
    }

    pub(super) fn is_exact(&self) -> bool {
        match self {
            Self::Value(value) => all_exact(value),
            Self::Map(map) => map.values().all(all_exact),
            Self::Text(_) => true,
            Self::Owned(value) => all_exact(value),
        }
    }

    pub(super) fn text(&self) -> Result<Cow<'_, str>, &'static str> {
        match self {
            Self::Value(value) => number::value_text(value),
            Self::Owned(value) => number::value_text(value),
            Self::Text(text) => Ok(Cow::Borrowed(text)),
            Self::Map(_) => Err("is an object, which cannot stand inside a text"),
        }
    }
}
