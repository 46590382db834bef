//! `actionfleet` as a process of its own.

use std::{
    env, fmt,
    fs::{self, File},
    io::Write as _,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use tokio::time::{sleep, timeout};

/// How often it is looked at whether the process has ended.
const POLL: Duration = Duration::from_millis(20);

/// For the orderly end of a worker that has nothing to do.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of its log an error quotes.
const TAIL_LINES: usize = 15;

const WATCHDOG: &str = include_str!("watchdog.sh");

/// A running worker under its watchdog. It is killed when this is dropped, and when this process
/// ends in any way, `kill -9` included.
#[derive(Debug)]
pub(crate) struct Worker {
    watchdog: Child,
    /// Held open for as long as the worker shall live.
    orders: Option<ChildStdin>,
}

impl Worker {
    /// Starts the `actionfleet` that lies beside this program, in a folder of its own.
    pub(crate) fn start(
        folder: &Path,
        arguments: &[String],
        settings: &[String],
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let program = env::current_exe().context("cannot find this program's own file")?;
        let program = program.with_file_name("actionfleet");
        ensure!(program.is_file(), "{} is missing; `make demo` builds it", program.display());
        let log = Log::inside(folder);
        let file = File::create(&log.0).with_context(|| format!("cannot write {log}"))?;
        let mut command = Command::new("sh");
        command.args(["-c", WATCHDOG, "watchdog"]).arg(&program).args(arguments);
        for setting in settings {
            command.args(["--set", setting]);
        }
        // settings of another fleet, in the environment or the working folder, are not for this one
        for (name, _) in env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"ACTIONFLEET_") {
                command.env_remove(name);
            }
        }
        let mut watchdog = command
            .envs(environment.iter().copied())
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(file)
            // Ctrl-C at a terminal is for the demo to handle
            .process_group(0)
            .spawn()
            .context("cannot start `sh`")?;
        let orders = watchdog.stdin.take();
        Ok(Self { watchdog, orders })
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&mut self) -> anyhow::Result<ExitStatus> {
        loop {
            if let Some(status) = self.watchdog.try_wait().context("cannot wait for the worker")? {
                return Ok(status);
            }
            sleep(POLL).await;
        }
    }

    /// Asks it to stop, and fails where it does not stop in good order.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(orders) = &mut self.orders {
            writeln!(orders, "TERM").context("cannot stop the worker")?;
        }
        let Ok(status) = timeout(STOP_TIMEOUT, self.ended()).await else {
            bail!("the worker did not stop within {} s of SIGTERM", STOP_TIMEOUT.as_secs());
        };
        let status = status?;
        ensure!(status.success(), "the worker stopped with {status}");
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // closing the pipe is the order to kill; it takes milliseconds
        self.orders.take();
        let _ = self.watchdog.wait();
    }
}

/// The file that a worker logs to.
#[derive(Debug)]
pub(crate) struct Log(PathBuf);

impl Log {
    pub(crate) fn inside(folder: &Path) -> Self {
        Self(folder.join("worker.log"))
    }

    pub(crate) fn exists(&self) -> bool {
        self.0.exists()
    }

    /// The last lines; `None` where nothing was logged.
    pub(crate) fn tail(&self) -> Option<String> {
        let bytes = fs::read(&self.0).ok().filter(|bytes| !bytes.is_empty())?;
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().collect();
        let skip = lines.len().saturating_sub(TAIL_LINES);
        Some(lines.into_iter().skip(skip).collect::<Vec<_>>().join("\n"))
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}
