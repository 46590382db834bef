//! The command line, run as its users run it.

mod catalog;
mod dev;
mod jobs;
mod secrets;
mod service;
mod settings;
mod status;

use std::process::Output;

use actionfleet_local::Rabbit;
use tempfile::TempDir;
use tokio::time::{Instant, timeout};

use crate::harness::{PATIENCE, actionfleet};

/// Commands in one folder, against one virtual host.
struct Cli {
    url: String,
    folder: TempDir,
}

/// What a command said, and what it ended with.
#[derive(Debug)]
struct Said {
    exit: Option<i32>,
    out: String,
    err: String,
}

impl Cli {
    /// On a virtual host of its own, where nothing is.
    async fn alone() -> Self {
        Self::on(Rabbit::shared().await.unwrap().vhost().await.unwrap())
    }

    fn on(url: String) -> Self {
        Self { url, folder: TempDir::new().unwrap() }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    async fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(&[("ACTIONFLEET__BROKER__URL", &self.url)], arguments).await
    }

    /// Repeated until it is as it should be: a dead letter is published beside the result, not
    /// before it.
    async fn until(&self, arguments: &[&str], holds: impl Fn(&Said) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = self.run(arguments).await;
            if holds(&said) {
                return said.done();
            }
            assert!(Instant::now() < deadline, "{arguments:?}: {said:?}");
        }
    }

    async fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Said {
        let mut command = actionfleet();
        for (name, _) in std::env::vars_os() {
            // settings of whoever runs the tests are not for these
            if name.as_encoded_bytes().starts_with(b"ACTIONFLEET_") {
                command.env_remove(name);
            }
        }
        command.current_dir(self.folder.path()).args(arguments).envs(variables.iter().copied());
        let output = timeout(PATIENCE, command.output()).await;
        output.unwrap_or_else(|_| panic!("{arguments:?} does not end")).unwrap().into()
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            exit: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Said {
    #[track_caller]
    fn done(self) -> String {
        assert_eq!((self.exit, self.err.as_str()), (Some(0), ""), "{self:?}");
        self.out
    }

    /// Ended with this code, saying this to people.
    #[track_caller]
    fn failed(&self, exit: i32, said: &str) {
        assert_eq!(self.exit, Some(exit), "{self:?}");
        assert!(self.err.contains(said), "{said:?} is not in {}", self.err);
    }

    /// One document a line.
    #[track_caller]
    fn json(&self) -> Vec<serde_json::Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[tokio::test]
async fn help_and_completions_need_nothing() {
    let cli = Cli { url: String::new(), folder: TempDir::new().unwrap() };
    let help = cli.run_with(&[], &["--help"]).await.done();
    assert!(help.contains("Exit codes:") && help.contains("enqueue"), "{help}");
    assert!(cli.run_with(&[], &["completions", "bash"]).await.done().contains("actionfleet"));
    let shown = cli.run_with(&[], &["dead", "drop"]).await;
    shown.failed(2, "--older-than");
}
