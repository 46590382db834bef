//! The broker, the backend and how each contender is started.

use std::{path::PathBuf, process::Stdio, time::Duration};

use actionfleet_local::{Postgres, Rabbit};
use anyhow::{Context, bail};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::{broker::Desk, child::Measured, report::say};

/// The queue of the fleet's default lane; the loop works from the same.
pub(crate) const JOBS: &str = "actionfleet.jobs.default";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contender {
    Bare,
    Fleet,
    /// The fleet with `worker.results = "replies"`: it publishes as often as the loop.
    Replies,
    /// The fleet with a ledger in `PostgreSQL`.
    Postgres,
    /// The fleet with a ledger in a file.
    Sqlite,
}

pub(crate) struct Stage {
    pub(crate) rabbit: Rabbit,
    postgres: Postgres,
    /// The broker's process.
    pub(crate) broker: u32,
    /// The process of PostgreSQL whose children serve the connections.
    pub(crate) database: u32,
    pub(crate) folder: TempDir,
    fleet: PathBuf,
    bench: PathBuf,
}

/// A backend process; killed when dropped.
pub(crate) struct Backend {
    _child: Child,
    url: String,
}

impl Stage {
    pub(crate) async fn set() -> anyhow::Result<Self> {
        let bench = std::env::current_exe()?;
        let fleet = bench.with_file_name("actionfleet");
        if !fleet.exists() {
            bail!("{} is missing; run `make bench`", fleet.display());
        }
        say("starting a private RabbitMQ");
        let rabbit = Rabbit::start().await?;
        let pid = rabbit.ctl(&["eval", "io:put_chars(os:getpid())."]).await?;
        let digits: String = pid.chars().take_while(char::is_ascii_digit).collect();
        let broker = digits.parse().with_context(|| format!("{pid:?} is no process id"))?;
        say("starting a private PostgreSQL");
        let postgres = Postgres::start().await?;
        let pid = "select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)";
        let database = postgres.sql("postgres", pid).await?.parse()?;
        let folder = TempDir::new()?;
        let stage = Self { rabbit, postgres, broker, database, folder, fleet, bench };
        let mut topology = Command::new(&stage.fleet);
        topology.args([
            "topology",
            "apply",
            "--set",
            &format!("broker.url={}", stage.rabbit.url()),
        ]);
        let applied = topology.stdout(Stdio::null()).status().await?;
        anyhow::ensure!(applied.success(), "actionfleet topology apply: {applied}");
        Ok(stage)
    }

    pub(crate) fn program(&self, contender: Contender) -> &PathBuf {
        match contender {
            Contender::Bare => &self.bench,
            _ => &self.fleet,
        }
    }

    pub(crate) async fn backend(&self, latency: Duration) -> anyhow::Result<Backend> {
        let mut child = Command::new(&self.bench)
            .args(["backend", "--latency", &latency.as_millis().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = child.stdout.take().context("no output")?;
        let url = BufReader::new(output).lines().next_line().await?.context("no URL")?;
        Ok(Backend { _child: child, url })
    }

    pub(crate) async fn desk(&self) -> anyhow::Result<Desk> {
        Desk::open(&self.rabbit.url()).await
    }

    /// Waits until the worker consumes.
    pub(crate) async fn consuming(&self, desk: &Desk, worker: &Measured) -> anyhow::Result<()> {
        while desk.consumers(JOBS).await? == 0 {
            worker.memory()?;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    /// Starts a worker of either kind and returns at once.
    pub(crate) async fn worker(
        &self,
        contender: Contender,
        backend: &Backend,
        permits: u16,
    ) -> anyhow::Result<Measured> {
        let (url, permits) = (self.rabbit.url(), permits.to_string());
        if contender == Contender::Bare {
            let arguments = [
                "loop",
                "--url",
                &url,
                "--queue",
                JOBS,
                "--permits",
                &permits,
                "--backend",
                &backend.url,
            ];
            return Measured::start(&self.bench, &arguments);
        }
        let mut sets = vec![format!("broker.url={url}"), "admin.listen=off".to_owned()];
        sets.extend(self.setting(contender).await?);
        self.fleet_worker(backend, &permits, &sets)
    }

    /// Starts a worker of the fleet with these settings and those that all have.
    pub(crate) fn fleet_worker(
        &self,
        backend: &Backend,
        permits: &str,
        sets: &[String],
    ) -> anyhow::Result<Measured> {
        let definitions = self.folder.path().join("definitions");
        std::fs::create_dir_all(&definitions)?;
        let action = serde_json::json!({
            "kind": "http_action", "identifier": "bench", "method": "POST", "url": backend.url,
            "body": {"id": "{{ job.id }}", "text": "{{ text }}"},
        });
        std::fs::write(definitions.join("bench.json"), action.to_string())?;
        let definitions = definitions.display().to_string();
        let common = [
            format!("definitions.path={definitions}"),
            format!("lanes.default.permits={permits}"),
            "lanes.bulk.permits=1".to_owned(),
            "http.allow_networks=127.0.0.0/8".to_owned(),
        ];
        let mut arguments = vec!["worker"];
        for set in common.iter().chain(sets) {
            arguments.extend(["--set", set]);
        }
        Measured::start(&self.fleet, &arguments)
    }

    /// What sets a contender apart; each worker gets an empty store.
    async fn setting(&self, contender: Contender) -> anyhow::Result<Option<String>> {
        Ok(match contender {
            Contender::Bare | Contender::Fleet => None,
            Contender::Replies => Some("worker.results=replies".to_owned()),
            Contender::Postgres => Some(format!("store.url={}", self.postgres.database().await?)),
            Contender::Sqlite => {
                let folder = tempfile::tempdir_in(self.folder.path())?.keep();
                Some(format!("store.url=sqlite:{}", folder.join("store.db").display()))
            }
        })
    }
}
