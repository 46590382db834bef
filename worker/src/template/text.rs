//! Text with expressions in it.

use super::{InvalidTemplate, expression::Expression, scope::Scope};
use crate::handler::HandlerError;

/// Literal parts and expressions in turn.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) parts: Vec<Part>,
}

#[derive(Debug)]
pub(super) enum Part {
    Literal(String),
    Expression(Expression),
}

impl Text {
    pub(super) fn compile(source: &str) -> Result<Self, InvalidTemplate> {
        if source.contains("{%") || source.contains("{#") {
            let problem = "statements `{%` and comments `{#` are not supported; use an expression \
                           such as {{ a if b else c }}";
            return Err(InvalidTemplate::new(problem));
        }
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some((literal, after)) = rest.split_once("{{") {
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            let (expression, after) = split_expression(after)
                .ok_or_else(|| InvalidTemplate::new(format!("`{{{{{after}` is not closed")))?;
            parts.push(Part::Expression(Expression::compile(expression)?));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    pub(super) fn is_literal(&self) -> bool {
        !self.parts.iter().any(|part| matches!(part, Part::Expression(_)))
    }

    pub(super) fn takes_secret(&self) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Literal(_) => false,
            Part::Expression(expression) => expression.takes_secret(),
        })
    }

    /// The expression, where the text is exactly one.
    pub(super) fn into_whole(mut self) -> Result<Expression, Self> {
        match (self.parts.pop(), self.parts.is_empty()) {
            (Some(Part::Expression(expression)), true) => Ok(expression),
            (last, _) => {
                self.parts.extend(last);
                Err(self)
            }
        }
    }

    /// Hands the parts on in turn, and with each value the expression that it comes from.
    pub(super) fn render<'t>(
        &'t self,
        scope: &Scope<'_>,
        mut take: impl FnMut(&str, Option<&'t Expression>),
    ) -> Result<(), HandlerError> {
        for part in &self.parts {
            match part {
                Part::Literal(literal) => take(literal, None),
                Part::Expression(expression) => {
                    expression.text(scope, |text| take(text, Some(expression)))?;
                }
            }
        }
        Ok(())
    }
}

/// Up to the `}}` that stands in no quotes, and the rest behind it.
fn split_expression(source: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    let mut escaped = false;
    let mut depth = 0_usize;
    for (at, c) in source.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None => match c {
                '\'' | '"' => quote = Some(c),
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                '}' => {
                    let (expression, after) = source.split_at_checked(at)?;
                    return Some((expression, after.strip_prefix("}}")?));
                }
                _ => {}
            },
        }
    }
    None
}
