//! `make bench`: measures the fleet and the barest loop that does the same work, in one run, on
//! one private RabbitMQ, and prints a table of figures with their ratios.

mod backend;
mod bare;
mod broker;
mod child;
mod report;
mod scenario;

use clap::{Parser, Subcommand};

use crate::report::Report;

#[derive(Parser)]
#[command(about)]
struct Cli {
    #[command(subcommand)]
    part: Option<Part>,
    /// Only these scenarios: throughput, ledger, embedded, catalog, concurrency, latency, enqueue, idle.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// A share of the full size, such as 0.1.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
}

/// The parts that the benchmark starts as processes of their own.
#[derive(Subcommand)]
enum Part {
    /// The backend that everybody calls.
    #[command(hide = true)]
    Backend(backend::Options),
    /// The barest worker.
    #[command(hide = true)]
    Loop(bare::LoopOptions),
    /// The barest producer.
    #[command(hide = true)]
    Publish(bare::PublishOptions),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match cli.part {
        Some(Part::Backend(options)) => backend::serve(options).await,
        Some(Part::Loop(options)) => bare::work(options).await,
        Some(Part::Publish(options)) => bare::publish(options).await,
        None => run(&cli.only, cli.scale).await,
    }
}

async fn run(only: &[String], scale: f64) -> anyhow::Result<()> {
    let wanted = |name: &str| only.is_empty() || only.iter().any(|wish| wish == name);
    let mut report = Report::default();
    let stage = scenario::Stage::set().await?;
    if wanted("idle") {
        scenario::idle(&stage, &mut report).await?;
    }
    if wanted("throughput") {
        scenario::throughput(&stage, scale, &mut report).await?;
    }
    if wanted("ledger") {
        scenario::ledger(&stage, scale, &mut report).await?;
    }
    if wanted("embedded") {
        scenario::embedded(&stage, scale, &mut report).await?;
    }
    if wanted("catalog") {
        scenario::catalog(&stage, scale, &mut report).await?;
    }
    if wanted("concurrency") {
        scenario::concurrency(&stage, scale, &mut report).await?;
    }
    if wanted("latency") {
        scenario::latency(&stage, scale, &mut report).await?;
    }
    if wanted("enqueue") {
        scenario::enqueue(&stage, scale, &mut report).await?;
    }
    report.print()
}
