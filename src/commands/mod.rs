//! One file per command.

mod cancel;
mod catalog;
mod check;
mod completions;
mod config;
mod dead;
mod dev;
mod enqueue;
mod explain;
mod jobs;
mod metrics;
mod secret;
mod status;
mod topology;
mod worker;

use std::future::Future;

use clap::Subcommand;

use crate::{
    cli::Global,
    exit::{Exit, Failure, OrExit},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a whole fleet in one process on one folder: queue, store and worker
    Dev,
    /// Execute jobs until SIGTERM or Ctrl-C; a second signal skips the grace period
    Worker,
    /// Put jobs on a queue, and wait for a result if asked to
    Enqueue(enqueue::EnqueueArgs),
    /// Stop a job wherever it is
    Cancel(cancel::CancelArgs),
    /// Look at, put back or delete the jobs that the fleet gave up
    #[command(subcommand)]
    Dead(dead::DeadCommand),
    /// Look at, stop or execute anew the jobs in the ledger
    #[command(subcommand)]
    Jobs(jobs::JobsCommand),
    /// Manage the definitions that the fleet keeps in its store
    #[command(subcommand)]
    Catalog(catalog::CatalogCommand),
    /// Manage the secrets that definitions name
    #[command(subcommand)]
    Secret(secret::SecretCommand),
    /// Show how full the queues are, and what is in execution
    Status,
    /// Create, compare or print the exchanges and queues
    #[command(subcommand)]
    Topology(topology::TopologyCommand),
    /// Check the definitions: file, line, field, problem, way out
    Check(check::CheckArgs),
    /// Show the configuration in force and where each value came from
    Config(config::ConfigArgs),
    /// Explain an error code
    Explain(explain::ExplainArgs),
    /// Print the table of all metrics as a page of Markdown
    Metrics,
    /// Print the completions of a shell
    Completions(completions::CompletionsArgs),
}

impl Command {
    pub(crate) fn run(self, global: &Global) -> Result<Exit, Failure> {
        match self {
            Self::Dev => block_on(dev::run(global)),
            Self::Worker => block_on(worker::run(global)),
            Self::Enqueue(args) => block_on(args.run(global)),
            Self::Cancel(args) => block_on(args.run(global)),
            Self::Dead(command) => block_on(command.run(global)),
            Self::Jobs(command) => block_on(command.run(global)),
            Self::Catalog(command) => block_on(command.run(global)),
            Self::Secret(command) => block_on(command.run(global)),
            Self::Status => block_on(status::run(global)),
            Self::Topology(command) => block_on(command.run(global)),
            Self::Check(args) => args.run(global),
            Self::Config(args) => args.run(global),
            Self::Explain(args) => args.run(global),
            Self::Metrics => metrics::run(),
            Self::Completions(args) => args.run(),
        }
    }
}

fn block_on(command: impl Future<Output = Result<Exit, Failure>>) -> Result<Exit, Failure> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().build().or_exit(Exit::Software)?.block_on(command)
}
