//! `actionfleet check`

use std::{path::PathBuf, sync::Arc};

use actionfleet_worker::{
    backend::Backends,
    definitions::{Loaded, Place, Referable, load},
    handlers::Handlers,
    secrets::{EnvSecrets, Secrets},
};
use clap::Args;
use prometheus::Registry;
use serde_json::json;

use crate::{
    cli::{Global, Role},
    config::Settings,
    exit::{Exit, Failure, OrExit},
};

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The folder of definitions [default: `definitions.path`]
    folder: Option<PathBuf>,
    /// A handler of your own that definitions may name; repeatable
    #[arg(long, value_name = "ID")]
    handler: Vec<String>,
}

impl CheckArgs {
    pub(super) fn run(self, global: &Global) -> Result<Exit, Failure> {
        let settings = global.start(Role::Tool)?;
        let folder = self.folder.or_else(|| settings.definitions_folder()).ok_or_else(|| {
            let problem = "there are no definitions; name a FOLDER or set `definitions.path`";
            Failure::message(Exit::NoInput, problem)
        })?;
        let handlers = [handler_ids(&settings)?, self.handler].concat();
        let referable = Referable { handlers, providers: Vec::new() };
        let Loaded { findings, .. } = load(&folder, &referable).map_err(|error| {
            Failure::message(Exit::NoInput, format!("{}: {error}", folder.display()))
        })?;
        let list: Vec<_> = findings
            .iter()
            .map(|finding| {
                let (file, line) = match &finding.place {
                    Place::File { path, line } => (Some(path), *line),
                    Place::Entry(_) => (None, None),
                };
                json!({
                    "file": file, "line": line,
                    "field": finding.field, "problem": finding.problem,
                })
            })
            .collect();
        global.output().answer(&list, || {
            if findings.is_empty() {
                return format!("nothing is wrong in {}", folder.display());
            }
            let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
            lines.join("\n")
        })?;
        Ok(if findings.is_empty() { Exit::Done } else { Exit::Failed })
    }
}

/// The handlers that a definition may name.
pub(super) fn handler_ids(settings: &Settings) -> Result<Vec<String>, Failure> {
    let config = settings.worker_config(None).or_exit(Exit::Config)?;
    let backends = Backends::new(&config.http, &config.breaker, &config.limits, &Registry::new())
        .or_exit(Exit::Config)?;
    let secrets: Arc<dyn Secrets> = Arc::new(EnvSecrets::new());
    let handlers = Handlers::built_in(&Arc::new(backends), &secrets).or_exit(Exit::Software)?;
    Ok(handlers.ids().map(str::to_owned).collect())
}
