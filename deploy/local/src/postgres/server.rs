use std::{
    fs::File,
    io::Write as _,
    os::unix::process::CommandExt as _,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use tokio::time::{sleep, timeout};

use super::{account::Account, binaries::Binaries, folder::Folder};

const WATCHDOG: &str = include_str!("watchdog.sh");

/// How often a process that was told to end is looked at.
const EXIT_POLL: Duration = Duration::from_millis(10);

const END_TIMEOUT: Duration = Duration::from_secs(30);

/// A running server under its watchdog. Dropped, it is killed.
#[derive(Debug)]
pub(super) struct Server {
    watchdog: Child,
    /// Held open for as long as the server shall live.
    orders: Option<ChildStdin>,
}

impl Server {
    pub(super) fn spawn(
        binaries: &Binaries,
        account: Account,
        folder: &Folder,
        port: u16,
    ) -> anyhow::Result<Self> {
        let output = File::create(folder.file("output.log")).context("cannot create a log file")?;
        let errors = output.try_clone().context("cannot share a log file")?;
        let mut watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .args(account.prefix())
            .arg(binaries.program("postgres"))
            .arg("-D")
            .arg(folder.data())
            .arg(format!("--port={port}"))
            .envs([("HOME", folder.path())])
            .env("LC_ALL", "C")
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            // Ctrl-C at a terminal is for the owner to handle, the watchdog follows it
            .process_group(0)
            .spawn()
            .context("cannot start `sh`")?;
        let orders = watchdog.stdin.take();
        Ok(Self { watchdog, orders })
    }

    /// Whether the server has ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        matches!(self.watchdog.try_wait(), Ok(Some(_)) | Err(_))
    }

    /// Sends a signal, by its name, and waits until the server is gone. One that does not heed it
    /// is killed.
    pub(super) async fn end(mut self, signal: &str) -> anyhow::Result<()> {
        for order in [signal, "KILL"] {
            if let Some(orders) = self.orders.as_mut() {
                writeln!(orders, "{order}").context("the watchdog of the server is gone")?;
            }
            if timeout(END_TIMEOUT, self.ended()).await.is_ok() {
                return Ok(());
            }
        }
        bail!("the server did not end within {} s of SIGKILL", END_TIMEOUT.as_secs())
    }

    async fn ended(&mut self) {
        while !self.has_ended() {
            sleep(EXIT_POLL).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // closing the pipe is the order to kill; it takes milliseconds
        self.orders.take();
        let _ = self.watchdog.wait();
    }
}
