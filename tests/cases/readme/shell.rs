//! One shell that takes commands one after the other.

use std::{path::Path, process::Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::{Instant, timeout_at},
};

use super::page::{Step, matches};
use crate::harness::PATIENCE;

/// Ends what a command prints; its exit code follows.
const MARK: &str = "--- end of the command: ";

/// Commands that change nothing: what they shall show may come a moment after the command before
/// them, so they are run until they show it.
const LOOKS: [&str; 4] =
    ["actionfleet dead list", "actionfleet dead show", "actionfleet status", "curl "];

pub(super) struct Shell {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Shell {
    /// In a folder, with these variables and the program under test in the path.
    pub(super) fn start(folder: &Path, variables: &[(&str, &str)]) -> Self {
        let binary = Path::new(env!("CARGO_BIN_EXE_actionfleet"));
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", binary.parent().unwrap().display());
        let mut child = Command::new("sh")
            .current_dir(folder)
            .env("PATH", path)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, input, output }
    }

    /// Runs the command; anything else than what the page says of it is a failure of the test.
    pub(super) async fn take(&mut self, step: &Step) {
        let deadline = Instant::now() + PATIENCE;
        if step.command.starts_with("curl ") && !has_curl() {
            // what it would show is tested without it, too
            eprintln!("curl is not installed: `{}` is not run", step.command);
            return;
        }
        let looks = LOOKS.iter().any(|look| step.command.starts_with(look));
        loop {
            let run = timeout_at(deadline, self.run(&step.command)).await;
            let (printed, exit) = run.unwrap_or_else(|_| panic!("`{}` does not end", step.command));
            let lines: Vec<&str> = printed.lines().collect();
            if exit == step.exit && matches(&step.shown, &lines) {
                return;
            }
            assert!(
                looks && Instant::now() < deadline,
                "`{}` should print\n{}\n\nand end with {}; it prints\n{printed}\nand ends with {exit}",
                step.command,
                step.shown.join("\n"),
                step.exit,
            );
        }
    }

    /// What it prints, to both outputs, and its exit code.
    async fn run(&mut self, command: &str) -> (String, i32) {
        // on lines of their own, so that a comment behind the command ends
        let command = format!("{{ {command}\n}} </dev/null 2>&1\necho \"{MARK}$?\"\n");
        self.input.write_all(command.as_bytes()).await.unwrap();
        let mut printed = String::new();
        loop {
            let line = self.output.next_line().await.unwrap().expect("a shell that goes on");
            if let Some((before, exit)) = line.split_once(MARK) {
                printed.push_str(before);
                return (printed, exit.parse().unwrap());
            }
            printed.push_str(&line);
            printed.push('\n');
        }
    }
}

fn has_curl() -> bool {
    std::process::Command::new("curl").arg("--version").output().is_ok()
}

impl Drop for Shell {
    /// With what it started in the background.
    fn drop(&mut self) {
        if let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            // fails where all have ended
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}
