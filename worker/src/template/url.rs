//! A URL whose scheme and host are fixed, with values in its path and query.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use serde_json::Value;

use super::{
    InvalidTemplate,
    expression::Expression,
    number,
    scope::Scope,
    text::{Part, Text},
};
use crate::handler::HandlerError;

/// Everything but the unreserved characters of RFC 3986, so that a value stays in its place.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[derive(Debug)]
pub(super) enum UrlTemplate {
    /// Nothing in it depends on the job.
    Fixed(Url),
    Dynamic {
        /// Scheme and host, without the slash.
        origin: String,
        /// Between the slashes.
        segments: Vec<Text>,
        query: Vec<Parameter>,
    },
}

#[derive(Debug)]
pub(super) enum Parameter {
    /// Encoded, with its key.
    Fixed(String),
    /// Exactly one expression: a list repeats the key.
    Value {
        key: String,
        expression: Expression,
    },
    Text {
        key: String,
        text: Text,
    },
}

impl UrlTemplate {
    /// `query` is what [`Parameter::compile`] made.
    pub(super) fn compile(url: &str, query: Vec<Parameter>) -> Result<Self, InvalidTemplate> {
        let text = Text::compile(url)?;
        let (origin, path) = split_origin(url)?;
        check_origin(origin)?;
        let (path, own_query) = path.split_once('?').unwrap_or((path, ""));
        if own_query.contains("{{") {
            let problem = "values in the query of `url` are not supported; put them into `query`";
            return Err(InvalidTemplate::new(problem));
        }
        let mut query = query;
        if !own_query.is_empty() {
            query.insert(0, Parameter::Fixed(own_query.to_owned()));
        }
        let fixed = query.iter().all(|parameter| matches!(parameter, Parameter::Fixed(_)));
        let template =
            Self::Dynamic { origin: origin.to_owned(), segments: segments(path)?, query };
        if text.is_literal() && fixed {
            return template.fix();
        }
        Ok(template)
    }

    /// Renders a template without expressions once and for all.
    fn fix(self) -> Result<Self, InvalidTemplate> {
        let Self::Dynamic { origin, segments, query } = &self else { return Ok(self) };
        let mut url = origin.clone();
        for segment in segments {
            url.push('/');
            for part in &segment.parts {
                if let Part::Literal(literal) = part {
                    url.push_str(literal);
                }
            }
        }
        let mut separator = '?';
        for parameter in query {
            if let Parameter::Fixed(pair) = parameter {
                url.push(separator);
                url.push_str(pair);
                separator = '&';
            }
        }
        parse(&url).map(Self::Fixed)
    }

    pub(super) fn render(&self, scope: &Scope<'_>) -> Result<Url, HandlerError> {
        let (origin, segments, query) = match self {
            Self::Fixed(url) => return Ok(url.clone()),
            Self::Dynamic { origin, segments, query } => (origin, segments, query),
        };
        let mut url = origin.clone();
        for segment in segments {
            url.push('/');
            push_segment(&mut url, segment, scope)?;
        }
        let mut pairs = Pairs { url: &mut url, separator: '?' };
        for parameter in query {
            parameter.render(scope, &mut pairs)?;
        }
        parse(&url).map_err(|error| HandlerError::invalid_input("url", error.to_string()))
    }
}

/// A value stays one segment: it cannot be empty, nor one of those that lead elsewhere.
fn push_segment(url: &mut String, segment: &Text, scope: &Scope<'_>) -> Result<(), HandlerError> {
    let start = url.len();
    let mut last = None;
    segment.render(scope, |text, expression| match expression {
        None => url.push_str(text),
        Some(expression) => {
            url.extend(utf8_percent_encode(text, RESERVED));
            last = Some(expression);
        }
    })?;
    let Some(expression) = last else { return Ok(()) };
    // the URL standard also takes `%2e` for a dot
    match url.get(start..).unwrap_or_default().to_ascii_lowercase().replace("%2e", ".").as_str() {
        "" => Err(expression.invalid("is empty; it is a part of the URL's path")),
        "." | ".." => Err(expression.invalid("is a dot segment, which would leave the path")),
        _ => Ok(()),
    }
}

/// The end of a URL to which `key=value` is added.
struct Pairs<'a> {
    url: &'a mut String,
    separator: char,
}

impl Pairs<'_> {
    fn push(&mut self, key: &str, value: &str) {
        self.url.push(self.separator);
        self.separator = '&';
        self.url.push_str(key);
        self.url.push('=');
        self.url.extend(utf8_percent_encode(value, RESERVED));
    }
}

impl Parameter {
    /// One entry of a definition's `query`; a list becomes one parameter for each item.
    pub(super) fn compile(key: &str, value: &Value) -> Result<Vec<Self>, InvalidTemplate> {
        if key.contains("{{") {
            return Err(InvalidTemplate::new("keys are fixed; only values may hold expressions"));
        }
        let key = utf8_percent_encode(key, RESERVED).to_string();
        match value {
            Value::Array(items) => items.iter().map(|item| Self::one(key.clone(), item)).collect(),
            value => Self::one(key, value).map(|parameter| vec![parameter]),
        }
    }

    fn one(key: String, value: &Value) -> Result<Self, InvalidTemplate> {
        if let Value::String(source) = value {
            let text = Text::compile(source)?;
            if !text.is_literal() {
                return Ok(match text.into_whole() {
                    Ok(expression) => Self::Value { key, expression },
                    Err(text) => Self::Text { key, text },
                });
            }
        }
        let text = number::value_text(value)
            .map_err(|problem| InvalidTemplate::new(format!("the value {problem}")))?;
        Ok(Self::Fixed(format!("{key}={}", utf8_percent_encode(&text, RESERVED))))
    }

    fn render(&self, scope: &Scope<'_>, pairs: &mut Pairs<'_>) -> Result<(), HandlerError> {
        match self {
            Self::Fixed(pair) => {
                pairs.url.push(pairs.separator);
                pairs.separator = '&';
                pairs.url.push_str(pair);
            }
            Self::Text { key, text } => {
                let mut value = String::new();
                text.render(scope, |part, _| value.push_str(part))?;
                pairs.push(key, &value);
            }
            Self::Value { key, expression } => {
                let found = expression.value(scope)?;
                let invalid = |problem| expression.invalid(problem);
                if let Some(items) = found.items() {
                    for item in items {
                        pairs.push(key, &number::value_text(item).map_err(invalid)?);
                    }
                } else if !(found.is_null() && expression.may_be_null()) {
                    pairs.push(key, &found.text().map_err(invalid)?);
                }
            }
        }
        Ok(())
    }
}

fn split_origin(url: &str) -> Result<(&str, &str), InvalidTemplate> {
    let (_, rest) = url
        .split_once("://")
        .ok_or_else(|| InvalidTemplate::new("must start with https:// or http://"))?;
    let end = url.len() - rest.len() + rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
    let (origin, path) = url.split_at_checked(end).unwrap_or((url, ""));
    Ok((origin, path))
}

fn check_origin(origin: &str) -> Result<(), InvalidTemplate> {
    if origin.contains("{{") {
        return Err(InvalidTemplate::new(
            "scheme and host are fixed; values may stand in the path only",
        ));
    }
    if origin.contains('@') {
        return Err(InvalidTemplate::new(
            "holds a user or password; use a header with {{ secrets.NAME }}",
        ));
    }
    parse(origin).map(drop)
}

/// What lies between the slashes that stand in no expression.
fn segments(path: &str) -> Result<Vec<Text>, InvalidTemplate> {
    let mut segments = vec![];
    let mut current = Text { parts: vec![] };
    for part in Text::compile(path.strip_prefix('/').unwrap_or(path))?.parts {
        let Part::Literal(literal) = part else {
            current.parts.push(part);
            continue;
        };
        if literal.contains('#') {
            return Err(InvalidTemplate::new("a fragment (#…) is never sent; leave it out"));
        }
        let mut pieces = literal.split(['/', '\\']);
        current.parts.extend(pieces.next().map(|piece| Part::Literal(piece.to_owned())));
        for piece in pieces {
            let next = Text { parts: vec![Part::Literal(piece.to_owned())] };
            segments.push(std::mem::replace(&mut current, next));
        }
    }
    segments.push(current);
    Ok(segments)
}

fn parse(url: &str) -> Result<Url, InvalidTemplate> {
    Url::parse(url).map_err(|error| InvalidTemplate::new(format!("is not a URL: {error}")))
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
