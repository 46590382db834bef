//! `actionfleet worker` as a process of its own, to be killed.

use std::{process::Stdio, time::Duration};

use tokio::process::{Child, Command};

use super::PATIENCE;

/// The binary under test, ready for arguments.
pub fn actionfleet() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_actionfleet"));
    command.stdin(Stdio::null()).kill_on_drop(true).env_remove("RUST_LOG");
    command
}

pub struct Worker {
    child: Child,
}

impl Worker {
    /// With `broker.url` and further settings, each `key=value`.
    pub fn start(url: &str, settings: &[&str]) -> Self {
        let mut command = actionfleet();
        command.args(["worker", "--set", &format!("broker.url={url}")]);
        for setting in ["admin.listen=off", "log.filter=warn"].iter().chain(settings) {
            command.args(["--set", setting]);
        }
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { child }
    }

    /// Waits until SIGTERM no longer ends the process by itself: the kernel shows what it catches.
    pub async fn listens(&self) {
        let status = format!("/proc/{}/status", self.child.id().unwrap());
        let caught = || {
            let text = std::fs::read_to_string(&status).unwrap();
            let mask = text.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
            u64::from_str_radix(mask.trim(), 16).unwrap() >> 14 & 1 == 1
        };
        let waiting = async {
            while !caught() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the worker listens");
    }

    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM; the exit code.
    pub async fn terminate(mut self) -> Option<i32> {
        let pid = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().await.unwrap();
        assert!(sent.success());
        let limit = PATIENCE + Duration::from_secs(10);
        let ended = tokio::time::timeout(limit, self.child.wait()).await;
        ended.expect("the worker ends").unwrap().code()
    }
}
