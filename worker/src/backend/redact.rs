//! Some backends repeat the request in their answer: what is shown of it shows no secret.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use crate::handler::HandlerError;

const REDACTED: &str = "[redacted]";

/// As requests encode values in a path or a query.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The secrets of one request, in every form in which an answer is likely to repeat them.
///
/// To be applied before anything is cut: half a secret is not recognised.
#[derive(Debug)]
pub(super) struct Redaction {
    forms: Vec<SecretString>,
}

impl Redaction {
    pub(super) fn of(secrets: &[SecretString]) -> Self {
        let secrets = secrets.iter().map(ExposeSecret::expose_secret);
        let mut forms: Vec<_> = secrets.filter(|text| !text.is_empty()).flat_map(forms).collect();
        forms.sort_unstable();
        forms.dedup();
        Self { forms: forms.into_iter().map(SecretString::from).collect() }
    }

    pub(super) fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.until(text, text.len())
    }

    /// The beginning of a longer text: what may be the beginning of a secret at its end is left
    /// out.
    pub(super) fn beginning<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let longest = self.forms.iter().map(|form| form.expose_secret().len()).max().unwrap_or(0);
        let end = text.len().saturating_sub(longest.saturating_sub(1));
        self.until(text, text.floor_char_boundary(end))
    }

    fn until<'t>(&self, text: &'t str, end: usize) -> Cow<'t, str> {
        let found = |form: &SecretString| -> Vec<_> {
            let found = text.match_indices(form.expose_secret());
            found.map(|(at, found)| (at, at + found.len())).collect()
        };
        let mut spans: Vec<_> = self.forms.iter().flat_map(found).collect();
        spans.retain(|(from, _)| *from < end);
        if spans.is_empty() {
            return Cow::Borrowed(text.get(..end).unwrap_or_default());
        }
        spans.sort_unstable();
        let (mut shown, mut hidden) = (String::with_capacity(end), 0);
        for (from, to) in spans {
            // one that begins inside another is hidden with it
            if from >= hidden {
                shown.push_str(text.get(hidden..from).unwrap_or_default());
                shown.push_str(REDACTED);
            }
            hidden = hidden.max(to);
        }
        shown.push_str(text.get(hidden..end).unwrap_or_default());
        Cow::Owned(shown)
    }

    /// Keys, texts, and numbers that are secrets.
    pub(super) fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => match self.text(&text) {
                Cow::Owned(shown) => Value::String(shown),
                Cow::Borrowed(_) => Value::String(text),
            },
            Value::Number(number) => match self.text(&number.to_string()) {
                Cow::Owned(shown) => Value::String(shown),
                Cow::Borrowed(_) => Value::Number(number),
            },
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => {
                let shown =
                    |(key, item): (String, Value)| (self.text(&key).into_owned(), self.value(item));
                Value::Object(map.into_iter().map(shown).collect::<Map<_, _>>())
            }
            Value::Null | Value::Bool(_) => value,
        }
    }
}

/// As it is; inside JSON, where some escape the slash, too, and inside JSON in that; inside a URL;
/// inside HTML.
fn forms(secret: &str) -> [String; 8] {
    let json = in_json(secret);
    let slashes = json.replace('/', "\\/");
    let percent = utf8_percent_encode(secret, RESERVED).to_string();
    let html = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("'", "&#39;")]
        .into_iter()
        .fold(secret.to_owned(), |html, (from, to)| html.replace(from, to));
    [
        secret.to_owned(),
        in_json(&json),
        in_json(&slashes),
        json,
        slashes,
        lower_hex(&percent),
        percent,
        html,
    ]
}

/// Between the quotes.
fn in_json(text: &str) -> String {
    let json = Value::from(text).to_string();
    json.get(1..json.len() - 1).unwrap_or_default().to_owned()
}

fn lower_hex(percent: &str) -> String {
    let mut digits = 0;
    let lower = percent.chars().map(|c| {
        digits = if c == '%' { 3_u8 } else { digits.saturating_sub(1) };
        if digits > 0 { c.to_ascii_lowercase() } else { c }
    });
    lower.collect()
}

/// An error that shows none of the secrets.
pub(crate) fn redacted(mut error: HandlerError, secrets: &[SecretString]) -> HandlerError {
    let redaction = Redaction::of(secrets);
    error.message = redaction.text(&error.message).into_owned();
    for problem in error.field_errors.values_mut() {
        *problem = redaction.text(problem).into_owned();
    }
    if let Some(response) = &mut error.service_response {
        response.body = redaction.value(std::mem::take(&mut response.body));
        response.request_id = response.request_id.take().map(|id| redaction.text(&id).into_owned());
    }
    error
}

#[cfg(test)]
#[path = "redact_tests.rs"]
mod tests;
