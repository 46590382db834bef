use crate::config::{
    section::section,
    setting::{LogFilter, Setting},
};

section! {
    /// What is logged to standard error, and how.
    Log "log" {
        /// `text` for people, `json` for programs; `auto` is text on a terminal.
        format: LogFormat = "auto",
        /// What is logged, by level and module; `lapin` is the AMQP client, whose errors are told in the fleet's own words. Commands other than `worker` log errors alone until it is set.
        filter: LogFilter = "info,lapin=off,refinery_core=warn",
    }
}

impl Log {
    /// For commands whose answer is what matters.
    pub(crate) fn be_quiet_by_default(&mut self) {
        let default = Self::KEYS.iter().find(|key| key.name == "log.filter");
        if default.is_some_and(|key| key.default == self.filter.0) {
            self.filter = LogFilter("error,lapin=off".to_owned());
        }
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
