//! Standard output, where a command's answer goes. A reader that has gone is no error.

mod table;

use std::io::{self, ErrorKind, Write};

use serde::Serialize;

pub(crate) use table::table;

use crate::exit::{Exit, Failure};

/// How a command answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// For people.
    Human,
    /// For programs: JSON, one document a line.
    Json,
}

impl Output {
    /// Answers with a value to programs, with a text to people.
    pub(crate) fn answer(self, value: &impl Serialize, text: impl FnOnce() -> String) -> Answer {
        match self {
            Self::Human => print(&text()),
            Self::Json => json(value),
        }
    }
}

pub(crate) type Answer = Result<(), Failure>;

/// Writes the text, and the end of its line where that is missing.
pub(crate) fn print(text: &str) -> Answer {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| {
        if text.is_empty() || text.ends_with('\n') {
            return out.flush();
        }
        out.write_all(b"\n").and_then(|()| out.flush())
    });
    written.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::nobody_reads(),
        _ => Failure::new(Exit::Io, error),
    })
}

/// Writes one line of JSON.
pub(crate) fn json(value: &impl Serialize) -> Answer {
    let text = serde_json::to_string(value).map_err(|error| Failure::new(Exit::Software, error))?;
    print(&text)
}
