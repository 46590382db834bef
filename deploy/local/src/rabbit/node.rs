use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::{sleep, timeout};

use super::binaries::Binaries;
use super::folder::Folder;
use super::ports::Ports;

const WATCHDOG: &str = include_str!("watchdog.sh");

/// How often a process that was told to end is looked at.
const EXIT_POLL: Duration = Duration::from_millis(10);

const END_TIMEOUT: Duration = Duration::from_secs(30);

/// A running node under its watchdog. Dropped, node and port mapper are killed.
#[derive(Debug)]
pub(super) struct Node {
    watchdog: Child,
    /// Held open for as long as the node shall live.
    orders: Option<ChildStdin>,
}

impl Node {
    pub(super) fn spawn(
        binaries: &Binaries,
        folder: &Folder,
        ports: Ports,
    ) -> anyhow::Result<Self> {
        let output = File::create(folder.file("output.log")).context("cannot create a log file")?;
        let errors = output.try_clone().context("cannot share a log file")?;
        let mut watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .args([&binaries.epmd, &binaries.server])
            .env_clear()
            .envs(environment(binaries, folder, ports)?)
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

    /// Whether the node has ended by itself.
    pub(super) fn has_ended(&mut self) -> bool {
        matches!(self.watchdog.try_wait(), Ok(Some(_)) | Err(_))
    }

    /// Sends the node a signal, by its name, and waits until node and port mapper are gone. One
    /// that does not heed it is killed.
    pub(super) async fn end(mut self, signal: &str) -> anyhow::Result<()> {
        for order in [signal, "KILL"] {
            if let Some(orders) = self.orders.as_mut() {
                writeln!(orders, "{order}").context("the watchdog of the node is gone")?;
            }
            if timeout(END_TIMEOUT, self.ended()).await.is_ok() {
                return Ok(());
            }
        }
        bail!("the node did not end within {} s of SIGKILL", END_TIMEOUT.as_secs())
    }

    async fn ended(&mut self) {
        while !self.has_ended() {
            sleep(EXIT_POLL).await;
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // closing the pipe is the order to kill; it takes milliseconds
        self.orders.take();
        let _ = self.watchdog.wait();
    }
}

/// Everything the scripts read from their environment, and nothing of the system's own broker.
pub(super) fn environment(
    binaries: &Binaries,
    folder: &Folder,
    ports: Ports,
) -> anyhow::Result<Vec<(&'static str, String)>> {
    let file = |name: &str| folder.file(name).display().to_string();
    let Ports { amqp, distribution, epmd, .. } = ports;
    let path = std::env::var("PATH").context("PATH is not set")?;
    Ok(vec![
        ("PATH", path),
        ("LANG", "C.UTF-8".to_owned()),
        ("HOME", folder.path().display().to_string()),
        ("ERL_EPMD_PORT", epmd.to_string()),
        ("ERL_EPMD_ADDRESS", "127.0.0.1".to_owned()),
        // a node that cannot start writes one for seconds
        ("ERL_CRASH_DUMP_SECONDS", "0".to_owned()),
        ("RABBITMQ_NODENAME", format!("actionfleet-{amqp}@localhost")),
        ("RABBITMQ_DIST_PORT", distribution.to_string()),
        ("RABBITMQ_CONF_ENV_FILE", file("rabbitmq-env.conf")),
        ("RABBITMQ_CONFIG_FILE", file("rabbitmq.conf")),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", file("enabled_plugins")),
        ("RABBITMQ_MNESIA_BASE", file("data")),
        ("RABBITMQ_LOG_BASE", folder.path().display().to_string()),
        ("RABBITMQ_LOGS", file("rabbit.log")),
        ("RABBITMQ_PID_FILE", file("rabbit.pid")),
        // schedulers bound to processors collide with those of every other node here
        ("RABBITMQ_SCHEDULER_BIND_TYPE", "u".to_owned()),
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", erl_arguments(binaries)),
        ("RABBITMQ_CTL_ERL_ARGS", LOOPBACK_ONLY.to_owned()),
        ("RABBITMQ_CTL_DIST_PORT_MIN", "0".to_owned()),
        ("RABBITMQ_CTL_DIST_PORT_MAX", "0".to_owned()),
        // the server script then becomes the node, so that a signal to it reaches the node
        ("RUNNING_UNDER_SYSTEMD", "true".to_owned()),
    ])
}

const LOOPBACK_ONLY: &str = "-kernel inet_dist_use_interface {127,0,0,1}";

/// Erlang's own applications are looked at first: it saves a fifth of the boot.
fn erl_arguments(binaries: &Binaries) -> String {
    let mut arguments = LOOPBACK_ONLY.to_owned();
    for application in std::fs::read_dir(&binaries.erlang_lib).into_iter().flatten().flatten() {
        let code = application.path().join("ebin");
        if code.is_dir() {
            arguments.push_str(" -pa ");
            arguments.push_str(&code.display().to_string());
        }
    }
    arguments
}
