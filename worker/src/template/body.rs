//! A JSON body with values in it.

use serde_json::Value;

use super::{InvalidTemplate, expression::Expression, scope::Scope, text::Text};
use crate::handler::HandlerError;

/// The document as it is sent, cut where values go in.
#[derive(Debug)]
pub(super) struct BodyTemplate {
    pieces: Vec<Piece>,
}

#[derive(Debug)]
enum Piece {
    /// JSON, as far as it depends on no job.
    Json(String),
    /// A value with its type.
    Value(Expression),
    /// A JSON string.
    Text(Text),
}

impl BodyTemplate {
    /// Everything that is wrong with it, each with where in the definition it stands.
    pub(super) fn compile(body: &Value) -> Result<Self, Vec<(String, InvalidTemplate)>> {
        let (mut template, mut problems) = (Self { pieces: Vec::new() }, Vec::new());
        template.add(body, "body", &mut problems);
        if problems.is_empty() { Ok(template) } else { Err(problems) }
    }

    fn add(&mut self, value: &Value, path: &str, problems: &mut Vec<(String, InvalidTemplate)>) {
        match value {
            Value::String(source) => match Text::compile(source) {
                Ok(text) if text.is_literal() => self.json(&value.to_string()),
                Ok(text) => {
                    let piece = text.into_whole().map_or_else(Piece::Text, Piece::Value);
                    self.pieces.push(piece);
                }
                Err(problem) => problems.push((path.to_owned(), problem)),
            },
            Value::Array(items) => {
                self.json("[");
                for (index, item) in items.iter().enumerate() {
                    self.json(if index > 0 { "," } else { "" });
                    self.add(item, &format!("{path}[{index}]"), problems);
                }
                self.json("]");
            }
            Value::Object(map) => {
                self.json("{");
                for (index, (key, item)) in map.iter().enumerate() {
                    if key.contains("{{") {
                        let problem = "keys are fixed; only values may hold expressions";
                        problems.push((format!("{path}.{key}"), InvalidTemplate::new(problem)));
                    }
                    self.json(if index > 0 { "," } else { "" });
                    self.json(&Value::from(key.as_str()).to_string());
                    self.json(":");
                    self.add(item, &format!("{path}.{key}"), problems);
                }
                self.json("}");
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => self.json(&value.to_string()),
        }
    }

    fn json(&mut self, more: &str) {
        if let Some(Piece::Json(json)) = self.pieces.last_mut() {
            json.push_str(more);
        } else {
            self.pieces.push(Piece::Json(more.to_owned()));
        }
    }

    pub(super) fn render(&self, scope: &Scope<'_>) -> Result<Vec<u8>, HandlerError> {
        let mut body = Vec::with_capacity(256);
        for piece in &self.pieces {
            match piece {
                Piece::Json(json) => body.extend_from_slice(json.as_bytes()),
                Piece::Value(expression) => {
                    let found = expression.value(scope)?;
                    serde_json::to_writer(&mut body, &found)
                        .map_err(|error| expression.invalid(&error.to_string()))?;
                }
                Piece::Text(text) => {
                    let mut joined = String::new();
                    text.render(scope, |part, _| joined.push_str(part))?;
                    body.extend_from_slice(Value::String(joined).to_string().as_bytes());
                }
            }
        }
        Ok(body)
    }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
