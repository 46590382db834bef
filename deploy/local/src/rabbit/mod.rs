//! A private RabbitMQ broker: own folder, own ports on 127.0.0.1, own cookie and port mapper.

mod binaries;
mod folder;
mod handshake;
mod node;
mod ports;
mod shared;
#[cfg(test)]
mod tests;

use std::io;
use std::process::Output;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::Command;

use self::binaries::Binaries;
use self::folder::Folder;
use self::ports::Ports;
use self::shared::VirtualHosts;
use crate::watched::Watched;

/// How often other ports are tried when somebody else took one between finding and using it.
const PORT_ATTEMPTS: u32 = 4;

const CTL_TIMEOUT: Duration = Duration::from_secs(60);

/// What a broker proves itself with to those who connect by TLS, in PEM.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The broker's own certificate, then those that lead to its authority.
    pub chain: String,
    pub key: String,
}

/// A running broker with user `guest`, password `guest`, and the virtual host `/`.
///
/// Dropped, it is killed and its folder removed. The same happens when the process that owns
/// it ends in any way, `kill -9` included. Runs as root and as an ordinary user.
#[derive(Debug)]
pub struct Rabbit {
    // first, so that no node is left when the folder goes
    node: Mutex<Option<Watched>>,
    binaries: Binaries,
    folder: Folder,
    ports: Ports,
    speaks_tls: bool,
    virtual_hosts: VirtualHosts,
}

impl Rabbit {
    /// Starts a broker and waits until it accepts connections, about two seconds.
    ///
    /// # Errors
    /// RabbitMQ is not installed, or does not come up: then with the end of its log.
    pub async fn start() -> anyhow::Result<Self> {
        Self::launch(None).await
    }

    /// Starts a broker that also speaks TLS.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_with_tls(certificate: &Certificate) -> anyhow::Result<Self> {
        Self::launch(Some(certificate)).await
    }

    async fn launch(certificate: Option<&Certificate>) -> anyhow::Result<Self> {
        let binaries = Binaries::find()?;
        let mut attempt = 1;
        loop {
            match Self::start_on(&binaries, Ports::find_free()?, certificate).await {
                Err(error) if attempt < PORT_ATTEMPTS && is_port_taken(&error) => attempt += 1,
                outcome => return outcome,
            }
        }
    }

    async fn start_on(
        binaries: &Binaries,
        ports: Ports,
        certificate: Option<&Certificate>,
    ) -> anyhow::Result<Self> {
        let rabbit = Self {
            node: Mutex::new(None),
            folder: Folder::create(binaries, ports, certificate)?,
            binaries: binaries.clone(),
            ports,
            speaks_tls: certificate.is_some(),
            virtual_hosts: VirtualHosts::default(),
        };
        rabbit.start_again().await?;
        Ok(rabbit)
    }

    /// Where clients connect, in the virtual host `/`.
    pub fn url(&self) -> String {
        self.url_of("%2f")
    }

    /// As [`url`](Self::url), by TLS; only of a broker with a certificate.
    pub fn tls_url(&self) -> String {
        format!("amqps://guest:guest@127.0.0.1:{}/%2f", self.ports.tls)
    }

    fn url_of(&self, virtual_host: &str) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/{virtual_host}", self.ports.amqp)
    }

    /// The AMQP port. It stays the same over [`kill`](Self::kill), [`stop`](Self::stop) and
    /// [`start_again`](Self::start_again).
    pub fn port(&self) -> u16 {
        self.ports.amqp
    }

    /// Kills the node with SIGKILL, as a machine that loses power. What it had written stays.
    ///
    /// # Errors
    /// It is not running.
    pub async fn kill(&self) -> anyhow::Result<()> {
        self.running()?.end("KILL").await
    }

    /// Stops the node in good order.
    ///
    /// # Errors
    /// It is not running.
    pub async fn stop(&self) -> anyhow::Result<()> {
        self.running()?.end("TERM").await
    }

    /// Starts a node that was stopped or killed, with the same data on the same ports.
    ///
    /// # Errors
    /// It is running already, or does not come up: then with the end of its log.
    pub async fn start_again(&self) -> anyhow::Result<()> {
        if self.node().is_some() {
            bail!("the broker is running already");
        }
        let mut node = node::spawn(&self.binaries, &self.folder, self.ports)?;
        let mut ready = handshake::wait(self.ports.amqp, || node.has_ended()).await;
        if ready.is_ok() && self.speaks_tls {
            ready = handshake::listens(self.ports.tls, || node.has_ended()).await;
        }
        if let Err(cause) = ready {
            let log = self.folder.log_tail();
            return Err(cause.context(format!("RabbitMQ did not start; its log ends with:\n{log}")));
        }
        *self.node() = Some(node);
        Ok(())
    }

    /// Runs `rabbitmqctl` against this broker and returns what it printed.
    ///
    /// # Errors
    /// It failed, with what it said, or took longer than a minute.
    pub async fn ctl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let run = Command::new(&self.binaries.ctl)
            .args(arguments)
            .env_clear()
            .envs(node::environment(&self.binaries, &self.folder, self.ports)?)
            .kill_on_drop(true)
            .output();
        let command = || format!("rabbitmqctl {}", arguments.join(" "));
        let output: io::Result<Output> = tokio::time::timeout(CTL_TIMEOUT, run)
            .await
            .with_context(|| format!("`{}` did not end within a minute", command()))?;
        let output = output.with_context(|| format!("cannot run `{}`", command()))?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            bail!("`{}` failed: {printed}{errors}", command());
        }
        Ok(printed)
    }

    fn running(&self) -> anyhow::Result<Watched> {
        self.node().take().context("the broker is not running")
    }

    fn node(&self) -> MutexGuard<'_, Option<Watched>> {
        self.node.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In the words of Erlang and of RabbitMQ, in the log that the error quotes.
fn is_port_taken(error: &anyhow::Error) -> bool {
    let text = error.to_string();
    ["eaddrinuse", "dist_port_already_used"].iter().any(|word| text.contains(word))
}
