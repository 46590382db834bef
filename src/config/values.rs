//! The effective text of every key, and where it came from.

use std::{collections::BTreeMap, fmt};

use serde::{Serialize, Serializer};

use super::{ConfigError, Problem, key::Key, setting::Setting};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File(String),
    Environment(String),
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => f.write_str(path),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A key as it is in force, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Effective {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) origin: Origin,
}

#[derive(Debug, Clone)]
struct Value {
    text: String,
    origin: Origin,
    shown: fn(&str) -> String,
}

/// Later layers replace earlier ones; problems add up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    values: BTreeMap<String, Value>,
    problems: Vec<Problem>,
}

impl Values {
    pub(super) fn set(&mut self, name: &str, text: String, origin: Origin, key: &Key) {
        self.values.insert(name.to_owned(), Value { text, origin, shown: key.shown });
    }

    pub(super) fn set_default(&mut self, name: &str, text: &str, key: &Key) {
        if !self.values.contains_key(name) {
            self.set(name, text.to_owned(), Origin::Default, key);
        }
    }

    /// `None` is a problem that was noted.
    pub(super) fn read<T: Setting>(&mut self, name: &str) -> Option<T> {
        let text = self.values.get(name).map_or("", |value| value.text.as_str());
        match T::parse(text) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.refuse(name, problem);
                None
            }
        }
    }

    /// Notes a problem of a value.
    pub(super) fn refuse(&mut self, name: &str, problem: impl Into<String>) {
        let origin = self.origin(name);
        self.note(Problem { key: name.to_owned(), message: problem.into(), origin });
    }

    pub(super) fn note(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(super) fn origin(&self, name: &str) -> Origin {
        self.values.get(name).map_or(Origin::Default, |value| value.origin.clone())
    }

    /// The words after `section.`, up to the next dot.
    pub(super) fn names_under(&self, section: &str) -> Vec<String> {
        let mut names: Vec<String> = self
            .values
            .keys()
            .filter_map(|key| key.strip_prefix(section)?.strip_prefix('.')?.split('.').next())
            .map(str::to_owned)
            .collect();
        names.dedup();
        names
    }

    pub(super) fn effective(&self) -> Vec<Effective> {
        self.values
            .iter()
            .map(|(key, value)| Effective {
                key: key.clone(),
                value: (value.shown)(&value.text),
                origin: value.origin.clone(),
            })
            .collect()
    }

    pub(super) fn finish(&mut self) -> Result<(), ConfigError> {
        match std::mem::take(&mut self.problems) {
            none if none.is_empty() => Ok(()),
            problems => Err(ConfigError(problems)),
        }
    }
}
