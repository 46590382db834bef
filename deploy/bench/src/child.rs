//! A process under measurement: its processor time and memory, as the kernel counts them.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use tokio::process::{Child, Command};

/// Killed when dropped.
pub(crate) struct Measured {
    child: Child,
    pid: u32,
    pub(crate) started: Instant,
}

impl Measured {
    pub(crate) fn start(program: &Path, arguments: &[&str]) -> anyhow::Result<Self> {
        let started = Instant::now();
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log()?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let pid = child.id().context("it ended at once")?;
        Ok(Self { child, pid, started })
    }

    pub(crate) fn processor_time(&self) -> anyhow::Result<Duration> {
        processor_time(self.pid)
    }

    /// In bytes: now, and at its peak.
    pub(crate) fn memory(&self) -> anyhow::Result<(u64, u64)> {
        let ended = || format!("it has ended; see {}", log_path().display());
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid));
        let status = status.with_context(ended)?;
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name));
            let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
            kilobytes.and_then(|n| n.parse::<u64>().ok()).map(|n| n * 1024)
        };
        field("VmRSS:").zip(field("VmHWM:")).with_context(ended)
    }

    pub(crate) async fn wait(&mut self) -> anyhow::Result<Duration> {
        let status = self.child.wait().await?;
        if !status.success() {
            bail!("it ended with {status}; see {}", log_path().display());
        }
        Ok(self.started.elapsed())
    }

    pub(crate) async fn kill(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}

/// A process's processor time, user and system, so far.
pub(crate) fn processor_time(pid: u32) -> anyhow::Result<Duration> {
    spent(pid, 2)
}

/// The same with that of its children, those that have ended included.
pub(crate) fn processor_time_of_all(pid: u32) -> anyhow::Result<Duration> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
    let mut all = spent(pid, 4)?;
    for child in children.split_whitespace() {
        // one that ends meanwhile is counted with its parent, the next time
        all += spent(child.parse()?, 2).unwrap_or_default();
    }
    Ok(all)
}

/// User, system; of ended children user, system.
fn spent(pid: u32, fields: usize) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = stat.rsplit_once(')').context("no fields")?;
    let ticks = rest.split_whitespace().skip(11).take(fields).map(str::parse::<u64>);
    let ticks: u64 = ticks.sum::<Result<_, _>>()?;
    // the kernel's USER_HZ is 100 on every Linux that Rust runs on
    Ok(Duration::from_millis(ticks * 10))
}

fn log_path() -> PathBuf {
    std::env::temp_dir().join(format!("actionfleet-bench-{}.log", std::process::id()))
}

fn log() -> anyhow::Result<std::fs::File> {
    let path = log_path();
    let file = std::fs::File::options().create(true).append(true).open(&path);
    file.with_context(|| format!("cannot write {}", path.display()))
}
