//! One expression between `{{` and `}}`.

use std::{collections::BTreeMap, sync::LazyLock};

use actionfleet_proto::Code;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, value::Serde};
use serde_json::Value;

use super::{
    InvalidTemplate, number,
    path::{Path, Step},
    scope::{Found, Scope},
};
use crate::{handler::HandlerError, secrets::is_secret_name};

/// Steps that one evaluation may take: far more than a template needs, far less than a second.
const FUEL: u64 = 20_000;

static STRICT: LazyLock<Environment<'static>> =
    LazyLock::new(|| environment(UndefinedBehavior::Strict));
/// Evaluates without values, to find the filters that do not exist.
static LENIENT: LazyLock<Environment<'static>> =
    LazyLock::new(|| environment(UndefinedBehavior::Chainable));

fn environment(undefined: UndefinedBehavior) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(undefined);
    environment.set_fuel(Some(FUEL));
    environment.remove_global("debug");
    // they take a size as argument, and a job could name ten billion
    for filter in ["batch", "format", "indent", "slice"] {
        environment.remove_filter(filter);
    }
    environment
}

/// A compiled expression. The simplest and most frequent, a path to a value, needs no Jinja.
#[derive(Debug)]
pub(super) struct Expression {
    source: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Path { variable: String, steps: Vec<Step> },
    Secret(String),
    Jinja(Box<Jinja>),
}

#[derive(Debug)]
struct Jinja {
    compiled: minijinja::Expression<'static, 'static>,
    variables: Vec<String>,
    secrets: Vec<String>,
}

impl Expression {
    pub(super) fn compile(source: &str) -> Result<Self, InvalidTemplate> {
        let source = source.trim();
        if source.starts_with('-') || source.ends_with('-') {
            let problem = "`{{-` and `-}}` are not supported; for a negative number use {{ (-x) }}";
            return Err(InvalidTemplate::new(problem));
        }
        let kind = match simple(source) {
            Some(kind) => kind,
            None => Kind::Jinja(Box::new(Jinja::compile(source)?)),
        };
        if let Kind::Path { variable, .. } = &kind
            && variable == "secrets"
        {
            return Err(bad_secret(source));
        }
        Ok(Self { source: source.to_owned(), kind })
    }

    pub(super) fn takes_secret(&self) -> bool {
        match &self.kind {
            Kind::Path { .. } => false,
            Kind::Secret(_) => true,
            Kind::Jinja(jinja) => !jinja.secrets.is_empty(),
        }
    }

    /// The value with its type. Only an expression that says so by a filter or a condition yields
    /// a null that the job did not give.
    pub(super) fn value<'a>(&self, scope: &Scope<'a>) -> Result<Found<'a>, HandlerError> {
        let found = match &self.kind {
            Kind::Path { variable, steps } => {
                scope.find(variable, steps).ok_or_else(|| self.invalid(MISSING))?
            }
            Kind::Secret(name) => return Ok(Found::Owned(Value::String(scope.secret(name)?))),
            Kind::Jinja(jinja) => Found::Owned(jinja.evaluate(&self.source, scope)?),
        };
        if !found.is_exact() {
            return Err(self.invalid(number::INEXACT));
        }
        Ok(found)
    }

    /// Hands the value's text on.
    pub(super) fn text(
        &self,
        scope: &Scope<'_>,
        take: impl FnOnce(&str),
    ) -> Result<(), HandlerError> {
        let found = self.value(scope)?;
        let text = found.text().map_err(|problem| self.invalid(problem))?;
        take(&text);
        Ok(())
    }

    /// Whether a null is what the expression says, rather than what the job gives.
    pub(super) fn may_be_null(&self) -> bool {
        matches!(self.kind, Kind::Jinja(_))
    }

    pub(super) fn invalid(&self, problem: &str) -> HandlerError {
        HandlerError::invalid_input(&self.source, problem)
    }
}

/// `name`, `name.key[0]` and `secrets.NAME`.
fn simple(source: &str) -> Option<Kind> {
    let identifier = |key: &str| {
        key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !["true", "false", "none", "True", "False", "None", "not", "loop"].contains(&key)
    };
    if source.starts_with('$') || source.contains(['\'', '"']) {
        return None;
    }
    let mut steps = Path::parse(source).ok()?.into_steps().into_iter();
    let Some(Step::Key(variable)) = steps.next() else { return None };
    let steps: Vec<_> = steps.collect();
    let keys = steps.iter().all(|step| match step {
        Step::Key(key) => identifier(key),
        Step::Index(_) => true,
    });
    if !identifier(&variable) || !keys {
        return None;
    }
    match steps.as_slice() {
        [Step::Key(name)] if variable == "secrets" && is_secret_name(name) => {
            Some(Kind::Secret(name.clone()))
        }
        _ => Some(Kind::Path { variable, steps }),
    }
}

fn bad_secret(source: &str) -> InvalidTemplate {
    InvalidTemplate::new(format!(
        "{source:?}: a secret is named as {{{{ secrets.NAME }}}}, with A-Z, 0-9 and _"
    ))
}

impl Jinja {
    fn compile(source: &str) -> Result<Self, InvalidTemplate> {
        let invalid = |error: minijinja::Error| {
            let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
            InvalidTemplate::new(format!(
                "{source:?} is not an expression: {}{detail}",
                error.kind()
            ))
        };
        let compiled = STRICT.compile_expression_owned(source.to_owned()).map_err(invalid)?;
        let mut variables: Vec<_> = compiled.undeclared_variables(false).into_iter().collect();
        variables.sort();
        let mut secrets = Vec::new();
        if variables.iter().any(|name| name == "secrets") {
            variables.retain(|name| name != "secrets");
            for name in compiled.undeclared_variables(true) {
                match name.strip_prefix("secrets.") {
                    Some(name) if is_secret_name(name) => secrets.push(name.to_owned()),
                    Some(_) => return Err(bad_secret(source)),
                    None if name == "secrets" => return Err(bad_secret(source)),
                    None => {}
                }
            }
        }
        let dry = LENIENT
            .compile_expression_owned(source.to_owned())
            .and_then(|expression| expression.eval(()));
        match dry {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::UnknownFilter
                        | ErrorKind::UnknownFunction
                        | ErrorKind::UnknownTest
                        | ErrorKind::UnknownMethod
                ) =>
            {
                Err(invalid(error))
            }
            _ => Ok(Self { compiled, variables, secrets }),
        }
    }

    fn evaluate(&self, source: &str, scope: &Scope<'_>) -> Result<Value, HandlerError> {
        let mut values = BTreeMap::new();
        for name in &self.variables {
            if let Some(found) = scope.variable(name) {
                values.insert(name.as_str(), minijinja::Value::from(Serde(found)));
            }
        }
        if !self.secrets.is_empty() {
            let secrets: Result<BTreeMap<_, _>, HandlerError> =
                self.secrets.iter().map(|name| Ok((name.as_str(), scope.secret(name)?))).collect();
            values.insert("secrets", minijinja::Value::from(Serde(secrets?)));
        }
        let missing = || HandlerError::invalid_input(self.missing(source, scope), MISSING);
        match self.compiled.eval(minijinja::Value::from(Serde(&values))) {
            Ok(value) if value.is_undefined() => Err(missing()),
            Ok(value) => serde_json::to_value(&value).map_err(|error| {
                HandlerError::invalid_input(source, format!("cannot become JSON: {error}"))
            }),
            Err(error) if error.kind() == ErrorKind::UndefinedError => Err(missing()),
            Err(error) if error.kind() == ErrorKind::OutOfFuel => {
                let problem = format!("the expression {source:?} takes too many steps");
                Err(HandlerError::permanent(Code::InvalidInput, problem))
            }
            // the detail could repeat a value, and a value can be a secret
            Err(error) => Err(HandlerError::invalid_input(
                source,
                format!("cannot be evaluated: {}", error.kind()),
            )),
        }
    }

    /// Which variable it was that the job does not give.
    fn missing(&self, source: &str, scope: &Scope<'_>) -> String {
        let mut paths: Vec<_> = self.compiled.undeclared_variables(true).into_iter().collect();
        paths.sort();
        let gone = |path: &String| match path.split_once('.') {
            _ if path.starts_with("secrets.") => false,
            None => scope.variable(path).is_none(),
            Some((variable, rest)) => {
                let steps: Vec<_> = rest.split('.').map(|key| Step::Key(key.to_owned())).collect();
                scope.find(variable, &steps).is_none()
            }
        };
        paths.into_iter().find(gone).unwrap_or_else(|| source.to_owned())
    }
}

const MISSING: &str = "is missing; the action needs it";

#[cfg(test)]
#[path = "expression_tests.rs"]
mod tests;
