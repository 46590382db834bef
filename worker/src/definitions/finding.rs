use std::{fmt, path::PathBuf};

/// One thing wrong with a file of definitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub file: PathBuf,
    /// From 1; where it can be told.
    pub line: Option<usize>,
    /// Dotted path of the field; `.` for the whole file.
    pub field: String,
    /// What is wrong and the way out.
    pub problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}: {}", self.field, self.problem)
    }
}
