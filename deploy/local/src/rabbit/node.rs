use anyhow::Context;

use super::binaries::Binaries;
use super::folder::Folder;
use super::ports::Ports;
use crate::watched::Watched;

const WATCHDOG: &str = include_str!("watchdog.sh");

/// Starts a node and its port mapper under their watchdog.
pub(super) fn spawn(binaries: &Binaries, folder: &Folder, ports: Ports) -> anyhow::Result<Watched> {
    let mut command = Watched::command(WATCHDOG);
    command
        .args([&binaries.epmd, &binaries.server])
        .env_clear()
        .envs(environment(binaries, folder, ports)?);
    Watched::spawn(command, folder.path(), Folder::OUTPUT)
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
