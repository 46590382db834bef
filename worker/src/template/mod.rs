//! Requests with places for a job's values.
//!
//! A template is compiled once, when its definition is read, and rendered for each job. Values
//! are encoded for where they stand: percent-encoded in a path or query, refused in a header that
//! cannot carry them, typed in JSON. They are never read as templates themselves, and JSON is
//! built as a tree, not as text, so no value can break out of its place.
//!
//! Between `{{` and `}}` stands a Jinja expression. It knows the job's arguments by name, and
//! `arguments` (all of them), `runtime_context`, `job.id`, `job.tenant` and `secrets.NAME`; these
//! four go before arguments of the same name. What an expression needs and the job does not give
//! is an error that names it, unless the expression says what to take instead:
//! `{{ units | default("metric") }}`.

mod body;
mod expression;
mod header;
mod number;
mod path;
mod request;
mod scope;
mod text;
mod url;

pub use self::{
    path::{InvalidPath, Path},
    request::{RenderedRequest, RequestTemplate},
    scope::{Scope, arguments},
};

/// Why something is not a template; the text names the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidTemplate(String);

impl InvalidTemplate {
    fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}

#[cfg(test)]
mod conversly_tests;
#[cfg(test)]
mod testing;
