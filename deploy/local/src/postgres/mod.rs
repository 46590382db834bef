//! A private PostgreSQL server: own folder, own port on 127.0.0.1, own socket.

mod account;
mod binaries;
mod folder;
mod server;
mod shared;
#[cfg(test)]
mod tests;

use std::{
    net::{Ipv4Addr, TcpListener},
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, bail};
use tokio::{
    process::Command,
    time::{Instant, sleep, timeout},
};

use self::{account::Account, binaries::Binaries, folder::Folder};
use crate::watched::Watched;

/// The superuser, who needs no password.
const USER: &str = "actionfleet";

/// How often another port is tried when somebody else took one between finding and using it.
const PORT_ATTEMPTS: u32 = 4;

const START_DEADLINE: Duration = Duration::from_secs(90);
const START_PAUSE: Duration = Duration::from_millis(20);
const PSQL_TIMEOUT: Duration = Duration::from_secs(60);

/// A running server with the superuser `actionfleet`, who needs no password.
///
/// Dropped, it is killed and its folder removed. The same happens when the process that owns it
/// ends in any way, `kill -9` included. Where that process is root's, the server runs as
/// `postgres` or `nobody`.
#[derive(Debug)]
pub struct Postgres {
    // first, so that no server is left when the folder goes
    server: Mutex<Option<Watched>>,
    binaries: Binaries,
    account: Account,
    folder: Folder,
    port: u16,
    databases: AtomicU32,
}

impl Postgres {
    /// Starts a server and waits until it answers, about two seconds.
    ///
    /// # Errors
    /// PostgreSQL is not installed, or does not come up: then with the end of its log.
    pub async fn start() -> anyhow::Result<Self> {
        let (binaries, account) = (Binaries::find()?, Account::choose()?);
        let mut attempt = 1;
        loop {
            match Self::start_on(&binaries, account, free_port()?).await {
                Err(error) if attempt < PORT_ATTEMPTS && is_port_taken(&error) => attempt += 1,
                outcome => return outcome,
            }
        }
    }

    async fn start_on(binaries: &Binaries, account: Account, port: u16) -> anyhow::Result<Self> {
        let making = (binaries.clone(), account);
        let folder = tokio::task::spawn_blocking(move || Folder::create(&making.0, making.1));
        let postgres = Self {
            server: Mutex::new(None),
            folder: folder.await.context("cannot make a cluster")??,
            binaries: binaries.clone(),
            account,
            port,
            databases: AtomicU32::new(0),
        };
        postgres.start_again().await?;
        Ok(postgres)
    }

    /// The port. It stays the same over [`kill`](Self::kill), [`stop`](Self::stop) and
    /// [`start_again`](Self::start_again).
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder with the server's unix socket.
    pub fn socket_folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills every process of the server with SIGKILL. What it had written stays.
    ///
    /// # Errors
    /// It is not running.
    pub async fn kill(&self) -> anyhow::Result<()> {
        self.running()?.end("KILL").await
    }

    /// Stops the server in good order: clients are disconnected.
    ///
    /// # Errors
    /// It is not running.
    pub async fn stop(&self) -> anyhow::Result<()> {
        self.running()?.end("INT").await
    }

    /// Starts a server that was stopped or killed, with the same data on the same port.
    ///
    /// # Errors
    /// It is running already, or does not come up: then with the end of its log.
    pub async fn start_again(&self) -> anyhow::Result<()> {
        if self.server().is_some() {
            bail!("the server is running already");
        }
        let mut server = server::spawn(&self.binaries, self.account, &self.folder, self.port)?;
        if let Err(cause) = self.answers(&mut server).await {
            let log = self.folder.log_tail();
            return Err(
                cause.context(format!("PostgreSQL did not start; its log ends with:\n{log}"))
            );
        }
        *self.server() = Some(server);
        Ok(())
    }

    /// Runs a statement in a database and returns what it printed, without headings.
    ///
    /// # Errors
    /// It failed, with what it said, or took longer than a minute.
    pub async fn sql(&self, database: &str, statement: &str) -> anyhow::Result<String> {
        let run = Command::new(self.binaries.program("psql"))
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", USER, "-d", database])
            .arg("-h")
            .arg(self.folder.path())
            .args(["-p", &self.port.to_string(), "-c", statement])
            .kill_on_drop(true)
            .output();
        let output =
            timeout(PSQL_TIMEOUT, run).await.context("psql did not end within a minute")?;
        let output = output.context("cannot run `psql`")?;
        if !output.status.success() {
            bail!("{statement}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// The URL of a database that nobody used before.
    ///
    /// # Errors
    /// The server does not make one.
    pub async fn database(&self) -> anyhow::Result<String> {
        let name = format!("db_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!("create database {name}")).await?;
        Ok(format!("postgres://{USER}@127.0.0.1:{}/{name}", self.port))
    }

    async fn answers(&self, server: &mut Watched) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            if server.has_ended() {
                bail!("the server ended");
            }
            match self.sql("postgres", "select 1").await {
                Ok(_) => return Ok(()),
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => sleep(START_PAUSE).await,
            }
        }
    }

    fn running(&self) -> anyhow::Result<Watched> {
        self.server().take().context("the server is not running")
    }

    fn server(&self) -> MutexGuard<'_, Option<Watched>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Free now. Another process can take it before the server does.
fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

/// In the words of PostgreSQL, in the log that the error quotes.
fn is_port_taken(error: &anyhow::Error) -> bool {
    error.to_string().contains("Address already in use")
}
