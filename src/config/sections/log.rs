use crate::config::{
    section::section,
    setting::{LogFilter, Setting},
};

section! {
    /// What is logged to standard error, and how.
    Log "log" {
        /// `text` for people, `json` for programs; `auto` is text on a terminal.
        format: LogFormat = "auto",
        /// What is logged, by level and module; commands other than `worker` start from `warn`.
        filter: LogFilter = "info,lapin=warn",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Auto,
    Text,
    Json,
}

impl Setting for LogFormat {
    const KIND: &'static str = "`auto`, `text` or `json`";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("{text:?} is none of \"auto\", \"text\", \"json\"")),
        }
    }
}
