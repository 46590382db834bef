//! Conditions that depend on what is asked for, in the dialect of either engine. Values are always
//! bound, never written into the text.

use std::fmt::Write as _;

/// What can be bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Bool(bool),
    /// In milliseconds since 1970.
    Moment(i64),
    /// In UTC days since 1970.
    Day(i32),
}

/// Where the dialects differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Postgres,
    Sqlite,
}

impl Dialect {
    /// `function(text, part) > 0`: where the part begins.
    pub(crate) const fn position(self) -> &'static str {
        match self {
            Self::Postgres => "strpos",
            Self::Sqlite => "instr",
        }
    }
}

/// A statement under construction.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) dialect: Dialect,
    text: String,
    values: Vec<Value>,
}

impl Statement {
    pub(crate) fn new(dialect: Dialect, text: &str) -> Self {
        Self { dialect, text: text.to_owned(), values: Vec::new() }
    }

    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    pub(crate) fn bind(&mut self, value: Value) -> &mut Self {
        self.values.push(value);
        let sign = match self.dialect {
            Dialect::Postgres => '$',
            Dialect::Sqlite => '?',
        };
        let _ = write!(self.text, "{sign}{}", self.values.len());
        self
    }

    pub(crate) fn bind_text(&mut self, text: &str) -> &mut Self {
        self.bind(Value::Text(text.to_owned()))
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn values(&self) -> &[Value] {
        &self.values
    }
}
