//! `deploy/setup/install`, with a machine of the test's own: a path of programs that do nothing, and
//! an `apt-get` that writes down what it is asked for.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
    process::Command,
};

use tempfile::TempDir;

use super::path;

struct Machine(TempDir);

impl Machine {
    /// With everything that is needed for more than the tests.
    fn new() -> Self {
        let machine = Self(TempDir::new().unwrap());
        for program in ["cargo", "cc", "erl", "rabbitmq-server", "tee", "chmod", "rm"] {
            machine.put(program, "");
        }
        machine.put("id", "echo 0");
        machine.put("apt-get", "echo \"$*\" >>\"$ASKED\"");
        for real in ["dirname", "env"] {
            symlink(on_path(real), machine.0.path().join(real)).unwrap();
        }
        machine
    }

    fn put(&self, program: &str, does: &str) {
        let file = self.0.path().join(program);
        fs::write(&file, format!("#!/bin/sh\n{does}\n")).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// The packages that are installed for the tests.
    fn installs(&self) -> Vec<String> {
        let asked = self.0.path().join("asked");
        let output = Command::new(path("deploy/setup/install"))
            .arg("clients")
            .env_clear()
            .env("PATH", self.0.path())
            .env("ACTIONFLEET_RABBITMQ_SBIN", self.0.path())
            .env("CARGO_TARGET_DIR", self.0.path().join("target"))
            .env("ASKED", &asked)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let asked = fs::read_to_string(asked).unwrap();
        let install = asked.lines().find(|line| line.contains(" install ")).unwrap_or_default();
        install.split(' ').map(str::to_owned).collect()
    }
}

fn on_path(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let mut files = std::env::split_paths(&path).map(|folder| folder.join(program));
    files.find(|file| file.is_file()).unwrap()
}

#[test]
fn what_tests_need_is_installed_where_it_is_missing() {
    let machine = Machine::new();
    for package in ["curl", "php-amqplib", "python3-venv", "npm"] {
        assert!(machine.installs().iter().any(|it| it == package), "{package}");
    }
    machine.put("curl", "");
    fs::remove_file(machine.0.path().join("asked")).unwrap();
    let installs = machine.installs();
    assert!(!installs.iter().any(|it| it == "curl"), "{installs:?}");
    assert!(installs.iter().any(|it| it == "npm"), "{installs:?}");
}

/// A command of README.md that is not there is not tested.
#[test]
fn every_program_that_the_readme_runs_is_installed() {
    let script = fs::read_to_string(path("deploy/setup/install")).unwrap();
    let page = fs::read_to_string(path("README.md")).unwrap();
    let (_, commands) = page.split_once("## Run a worker").unwrap();
    let commands = commands.lines().filter_map(|line| line.strip_prefix("$ "));
    let words = commands.flat_map(|line| line.split(" | ")).filter_map(|command| {
        let mut words = command.split_whitespace();
        words.find(|word| !word.contains('='))
    });
    let shell = ["export", "unset", "echo", "kill", "wait", "cat", "actionfleet"];
    for word in words {
        let installed = script.contains(&format!("has {word} "));
        assert!(shell.contains(&word) || installed, "{word} is in README.md and not installed");
    }
}
