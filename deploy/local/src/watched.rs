//! A server under its watchdog, a script that ends it when its owner is gone.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, bail};
use tokio::time::{sleep, timeout};

/// How often a process that was told to end is looked at.
const EXIT_POLL: Duration = Duration::from_millis(10);

const END_TIMEOUT: Duration = Duration::from_secs(30);

/// How much of a log an error quotes.
const TAIL_LINES: usize = 15;

/// A running server. Dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Watched {
    watchdog: Child,
    /// Held open for as long as the server shall live.
    orders: Option<ChildStdin>,
}

impl Watched {
    /// The shell with the watchdog's script, to be given what that one needs.
    pub(crate) fn command(script: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "watchdog"]);
        shell
    }

    /// Runs it in the server's folder, with a log there.
    pub(crate) fn spawn(mut command: Command, folder: &Path, log: &str) -> anyhow::Result<Self> {
        let output = File::create(folder.join(log)).context("cannot create a log file")?;
        let errors = output.try_clone().context("cannot share a log file")?;
        let mut watchdog = command
            .current_dir(folder)
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
    pub(crate) fn has_ended(&mut self) -> bool {
        matches!(self.watchdog.try_wait(), Ok(Some(_)) | Err(_))
    }

    /// Sends a signal, by its name, and waits until the server and all that came with it are gone.
    /// One that does not heed it is killed.
    pub(crate) async fn end(mut self, signal: &str) -> anyhow::Result<()> {
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

impl Drop for Watched {
    fn drop(&mut self) {
        // closing the pipe is the order to kill; it takes milliseconds
        self.orders.take();
        let _ = self.watchdog.wait();
    }
}

/// The last lines of a log, for an error message; none where there is no log.
pub(crate) fn tail(log: &Path) -> String {
    let log = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = text.lines().collect();
    let skip = lines.len().saturating_sub(TAIL_LINES);
    lines.into_iter().skip(skip).collect::<Vec<_>>().join("\n")
}
