//! The command line: what all commands share. Each command has a file in `commands/`.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, ValueEnum};

use crate::{
    commands::Command,
    config::{Layers, Override, Settings, default_file, environment},
    data::DataFolder,
    exit::{self, Exit, Failure, OrExit},
    output::Output,
    telemetry,
};

/// Executes actions (an AI call, an HTTP call) from a queue, with as many workers as you like
#[derive(Debug, Parser)]
#[command(
    name = "actionfleet",
    bin_name = "actionfleet",
    version,
    after_help = exit::table(),
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Configuration file [default: actionfleet.toml in the working folder, if there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Use the queue and the store of `actionfleet dev` in this folder
    #[arg(long, global = true, value_name = "FOLDER")]
    data: Option<PathBuf>,

    /// Set a configuration key, such as `broker.url=amqp://…`; repeatable
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,

    /// How to log [default: text on a terminal, else json]
    #[arg(long, global = true, value_enum)]
    log_format: Option<LogFormatArg>,

    /// Log more; twice for all
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,

    /// Answer in JSON, one document a line
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogFormatArg {
    Text,
    Json,
}

/// Whether a command runs on and logs what it does, or answers and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Service,
    Tool,
}

impl Cli {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        self.command.run(&self.global)
    }
}

impl Global {
    pub(crate) fn output(&self) -> Output {
        if self.json { Output::Json } else { Output::Human }
    }

    /// Reads the configuration and starts the log.
    pub(crate) fn start(&self, role: Role) -> Result<Settings, Failure> {
        let mut settings = self.settings()?;
        if role == Role::Tool {
            settings.log.be_quiet_by_default();
        }
        telemetry::start(&settings.log);
        Ok(settings)
    }

    /// With a folder of data in any case.
    pub(crate) fn on_data(&self, usual: &str) -> (Self, DataFolder) {
        let folder = self.data.clone().unwrap_or_else(|| usual.into());
        (Self { data: Some(folder.clone()), ..self.clone() }, DataFolder(folder))
    }

    pub(crate) fn settings(&self) -> Result<Settings, Failure> {
        if settings_on_the_command_line() > self.set.len() {
            let problem = "--set stands before the command and behind it, and only the latter \
                           would count; give all of them behind it";
            return Err(Failure::message(Exit::Usage, problem));
        }
        let taken = self.set.iter().find(|(key, _)| DataFolder::KEYS.contains(&key.as_str()));
        if let (Some(_), Some((key, _))) = (&self.data, taken) {
            let problem =
                format!("--data sets {key}, and --set sets it, too; leave one of them out");
            return Err(Failure::message(Exit::Usage, problem));
        }
        let layers = Layers {
            file: self.config.clone().or_else(default_file),
            environment: environment(),
            flags: self.overrides().collect(),
        };
        Settings::load(layers).or_exit(Exit::Config)
    }

    fn overrides(&self) -> impl Iterator<Item = Override> {
        let of = |key: &str, value: &str, flag| Override {
            key: key.to_owned(),
            value: value.to_owned(),
            flag,
        };
        let filter = match self.verbose {
            0 => None,
            1 => Some("debug,lapin=warn,hyper=info,h2=info,rustls=info"),
            _ => Some("trace"),
        };
        let format = self.log_format.map(|format| match format {
            LogFormatArg::Text => "text",
            LogFormatArg::Json => "json",
        });
        let data = self.data.clone().map(DataFolder).map(|data| data.settings());
        let data = data.into_iter().flatten().map(move |(key, value)| of(key, &value, "--data"));
        let set = self.set.iter().map(move |(key, value)| of(key, value, "--set"));
        filter
            .map(|filter| of("log.filter", filter, "--verbose"))
            .into_iter()
            .chain(format.map(|format| of("log.format", format, "--log-format")))
            .chain(data)
            .chain(set)
    }
}

/// The parser forgets those before a command where there are others behind it.
fn settings_on_the_command_line() -> usize {
    let is_set = |argument: &std::ffi::OsString| {
        argument == "--set" || argument.as_encoded_bytes().starts_with(b"--set=")
    };
    std::env::args_os().filter(is_set).count()
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| "write KEY=VALUE, such as `worker.permits=64`".to_owned())?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }
}
