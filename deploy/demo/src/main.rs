//! `make demo`: real jobs through a real queue to an AI service, or its stand-in, and back.
//!
//! Starts what it needs, shows what became of the jobs, ends by itself and leaves nothing behind.

mod ground;
mod material;
mod progress;
mod report;
mod service;
mod signals;
mod stage;
mod submit;
mod worker;

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context, anyhow};
use clap::Parser;
use tokio::time::Instant;

use crate::{
    ground::On, report::Report, service::Service, signals::Signals, stage::Stage, worker::Log,
};

/// For everything, from the start to the last result.
const LIMIT: Duration = Duration::from_secs(100);

/// Sends real jobs through a queue to an AI service and back.
///
/// Over a hundred jobs go to an offline stand-in. With `OPENAI_API_KEY` set (and, if wanted,
/// `OPENAI_BASE_URL` and `OPENAI_MODEL`) a dozen go to that service instead.
#[derive(Debug, Parser)]
#[command(name = "demo", version)]
struct Cli {
    /// Keep the folder with the worker's log and definitions
    #[arg(long)]
    keep: bool,
    /// What it runs on
    #[arg(long, value_enum, default_value = "embedded")]
    on: On,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = tokio::select! {
        biased;
        // what was started ends with the other future, which is dropped here
        interrupted = interrupted() => interrupted,
        outcome = run(cli.on, cli.keep) => outcome.map(|()| ExitCode::SUCCESS),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

async fn interrupted() -> anyhow::Result<ExitCode> {
    let code = Signals::listen().context("cannot listen to signals")?.next().await;
    eprintln!("interrupted, stopping");
    Ok(ExitCode::from(code))
}

async fn run(on: On, keep: bool) -> anyhow::Result<()> {
    let mut folder = tempfile::Builder::new()
        .prefix("actionfleet-demo-")
        .tempdir()
        .context("cannot create a temporary folder")?;
    let log = Log::inside(folder.path());
    let outcome = perform(on, folder.path()).await.map_err(|error| match log.tail() {
        Some(tail) => anyhow!("{error:#}\n\nthe worker's log, {log}, ends with:\n{tail}"),
        None => error,
    });
    folder.disable_cleanup(keep || outcome.is_err() && log.exists());
    outcome?;
    say(&if keep {
        format!("All is stopped; {} is kept.", folder.path().display())
    } else {
        "All is stopped and removed; with --keep the log stays.".to_owned()
    });
    Ok(())
}

async fn perform(on: On, folder: &Path) -> anyhow::Result<()> {
    let deadline = Instant::now() + LIMIT;
    let service = Service::choose().await?;
    say(&service.introduction());
    let jobs = material::load(service.share())?;
    let setting = tokio::time::timeout_at(deadline, Stage::set(on, folder, &service));
    let mut stage = setting
        .await
        .with_context(|| format!("what was started was not ready after {} s", LIMIT.as_secs()))??;
    let finished = submit::all(&stage.producer, &mut stage.worker, jobs, deadline).await?;
    let report = Report::of(finished);
    say(&report.to_string());
    if let Some(answers) = service.answers() {
        say(&answers);
    }
    say(&format!("The worker's log was at {}.", Log::inside(folder)));
    let cleared = stage.clear().await;
    report.verdict()?;
    cleared
}

/// For whoever watches; a closed pipe is nobody watching.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}
