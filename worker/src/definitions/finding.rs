use std::{fmt, path::PathBuf};

use actionfleet_proto::definition::DefinitionKind;
use actionfleet_store::EntryKey;

/// One thing wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Finding {
    pub place: Place,
    /// Dotted path of the field; `.` for the whole definition.
    pub field: String,
    /// What is wrong and the way out.
    pub problem: String,
}

/// Where a definition stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    File {
        path: PathBuf,
        /// From 1; where it can be told.
        line: Option<usize>,
    },
    /// In the store's catalog.
    Entry(EntryKey),
}

impl Place {
    /// Without the line.
    pub(super) fn whole(&self) -> Self {
        match self {
            Self::File { path, .. } => Self::File { path: path.clone(), line: None },
            Self::Entry(key) => Self::Entry(key.clone()),
        }
    }

    /// Whether it is the entry of this definition.
    pub(super) fn is_of(&self, kind: DefinitionKind, identifier: &str) -> bool {
        matches!(self, Self::Entry(key) if key.kind == kind.as_str() && key.identifier == identifier)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: Some(line) } => write!(f, "{}:{line}", path.display()),
            Self::File { path, line: None } => write!(f, "{}", path.display()),
            Self::Entry(key) => write!(f, "{key}"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.field, self.problem)
    }
}
