//! A whole fleet in one folder: its queue, and its ledger where it has one, are files.

use std::{
    io::Write,
    net::{Ipv4Addr, TcpListener},
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use serde_json::{Map, Value, json};
use tokio::process::Command;

use super::{
    stage::{Contender, Stage},
    work::scaled,
};
use crate::{
    broker::body,
    child::Measured,
    report::{Goal, Report, say},
};

/// Another fleet in the same folder, which has no worker: a queue of its keeps the results.
const OTHER: &str = "broker.prefix=bench";
const RESULTS: &str = "bench.jobs.default";

const LIMIT: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, Default)]
pub(super) struct Round {
    /// From exec to ready.
    pub(super) start_ms: f64,
    pub(super) jobs_per_second: f64,
    pub(super) micros_per_job: f64,
}

/// Backend 0 ms, 256 permits, 20,000 jobs.
pub(crate) async fn embedded(stage: &Stage, scale: f64, report: &mut Report) -> anyhow::Result<()> {
    say("embedded: one worker on a folder, backend 0 ms, 256 permits");
    let count = scaled(20_000, scale);
    for (name, ledger) in [("queue in a folder", false), ("queue and ledger in a folder", true)] {
        let mut best = Round::default();
        for _ in 0..3 {
            let folder = tempfile::tempdir_in(stage.folder.path())?;
            let sets = if ledger { vec![store(folder.path())] } else { Vec::new() };
            best = best.or(measure(stage, folder.path(), count, sets).await?);
        }
        let goal = Goal::AtLeast(5000.0);
        report.alone(&format!("jobs/s, {name}"), "/s", best.jobs_per_second, goal);
        report.tell(&format!("processor time a job, {name}"), "µs", best.micros_per_job);
    }
    Ok(())
}

impl Round {
    /// The faster of both.
    pub(super) fn or(self, other: Self) -> Self {
        if other.jobs_per_second > self.jobs_per_second { other } else { self }
    }
}

/// The setting of a store in the folder.
pub(super) fn store(folder: &Path) -> String {
    format!("store.url=sqlite:{}", folder.join("store.db").display())
}

/// Jobs from the first tenth to the last, by a worker with these settings.
pub(super) async fn measure(
    stage: &Stage,
    folder: &Path,
    count: u32,
    mut sets: Vec<String>,
) -> anyhow::Result<Round> {
    let url = format!("broker.url=embedded:{}", folder.display());
    enqueue(stage, folder, &url, count).await?;
    let backend = stage.backend(Duration::ZERO).await?;
    let admin = free_address()?;
    sets.extend([url.clone(), format!("admin.listen={admin}")]);
    let worker = stage.fleet_worker(&backend, "256", &sets)?;
    let start_ms = ready(&worker, &admin).await?.as_secs_f64() * 1e3;
    let (first, start) = reaches(&worker, &admin, count / 10).await?;
    let before = worker.processor_time()?;
    let (last, end) = reaches(&worker, &admin, count).await?;
    let spent = worker.processor_time()?.saturating_sub(before);
    worker.kill().await?;
    let kept = results(stage, &url).await?;
    ensure!(kept == u64::from(count), "{kept} results of {count} jobs");
    let jobs = f64::from(last - first);
    Ok(Round {
        start_ms,
        jobs_per_second: jobs / (end - start).as_secs_f64(),
        micros_per_job: spent.as_secs_f64() * 1e6 / jobs,
    })
}

/// How long after its start the worker says that it is.
async fn ready(worker: &Measured, admin: &str) -> anyhow::Result<Duration> {
    let url = format!("http://{admin}/readyz");
    loop {
        worker.memory()?;
        let is_ready = reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success());
        let after = worker.started.elapsed();
        if is_ready {
            return Ok(after);
        }
        ensure!(after < LIMIT, "the worker is not ready after {LIMIT:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn enqueue(stage: &Stage, folder: &Path, url: &str, count: u32) -> anyhow::Result<()> {
    let path = folder.join("jobs.jsonl");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path)?);
    for number in 0..count {
        let mut job: Map<String, Value> = serde_json::from_slice(&body(number))?;
        job.insert("reply".to_owned(), json!({"queue": RESULTS}));
        let job = Value::Object(job);
        writeln!(file, "{job}")?;
    }
    file.flush()?;
    let path = path.display().to_string();
    run(stage, &["topology", "apply", "--set", url, "--set", OTHER]).await?;
    run(stage, &["enqueue", "--jsonl", &path, "--set", url]).await.map(drop)
}

/// Yields what a command of the fleet printed.
pub(super) async fn run(stage: &Stage, arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
    let mut command = Command::new(stage.program(Contender::Fleet));
    let output = command.args(arguments).output().await?;
    ensure!(output.status.success(), "actionfleet {arguments:?}: {}", output.status);
    Ok(output.stdout)
}

/// Waits until at least `count` jobs are settled; how many are, and when.
async fn reaches(worker: &Measured, admin: &str, count: u32) -> anyhow::Result<(u32, Instant)> {
    let end = Instant::now() + LIMIT;
    loop {
        worker.memory()?;
        let settled = settled(admin).await.unwrap_or(0);
        if settled >= count {
            return Ok((settled, Instant::now()));
        }
        ensure!(Instant::now() < end, "{settled} of {count} jobs are settled after {LIMIT:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// As the worker counts them; there is no answer before it has started.
async fn settled(admin: &str) -> anyhow::Result<u32> {
    let metrics = reqwest::get(format!("http://{admin}/metrics")).await?.text().await?;
    let counter = "actionfleet_settles_total{result=\"acked\"} ";
    let value = metrics.lines().find_map(|line| line.strip_prefix(counter));
    Ok(value.context("no such counter")?.parse()?)
}

/// How many results were kept.
async fn results(stage: &Stage, url: &str) -> anyhow::Result<u64> {
    let status = run(stage, &["status", "--json", "--set", url, "--set", OTHER]).await?;
    let status: Value = serde_json::from_slice(&status)?;
    let lanes = status.get("lanes").and_then(Value::as_array).context("no lanes")?;
    let is_of_results = |lane: &&Value| lane.get("queue").is_some_and(|name| name == RESULTS);
    let lane = lanes.iter().find(is_of_results).context("no lane")?;
    lane.get("ready").and_then(Value::as_u64).context("no queue")
}

fn free_address() -> anyhow::Result<String> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.to_string())
}
