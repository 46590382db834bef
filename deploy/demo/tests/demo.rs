//! The demo runs to its end, or is interrupted, and leaves nothing behind. The `actionfleet` that
//! it starts is the one beside it, which tests of the whole workspace build.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// What Erlang's own child processes get to follow their node.
const PATIENCE: Duration = Duration::from_secs(10);

/// The demo, with everything it starts recognizable by the folder for temporary files.
fn demo(folder: &TempDir, on: &str) -> Command {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_demo"));
    demo.args(["--on", on]);
    demo.env("TMPDIR", folder.path()).env_remove("OPENAI_API_KEY").stdin(Stdio::null());
    demo
}

#[test]
fn shows_what_became_of_every_job_in_a_folder() {
    shows_what_became_of_every_job("embedded", "runs on one folder");
}

#[test]
fn shows_what_became_of_every_job_on_servers() {
    shows_what_became_of_every_job("rabbitmq", "a private RabbitMQ and a private PostgreSQL");
}

fn shows_what_became_of_every_job(on: &str, ground: &str) {
    let folder = TempDir::new().unwrap();
    let output = demo(&folder, on).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{}\n{printed}\n{errors}", output.status);
    let row = |name: &str| -> Vec<&str> {
        let mut rows = printed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        rows.rfind(|words| words.first() == Some(&name)).unwrap()
    };
    assert_eq!(row("jobs"), ["jobs", "succeeded", "retried", "dead", "p50", "p99"]);
    for (name, jobs) in [("refine_text", "120"), ("generate_alt_text", "12"), ("all", "132")] {
        assert_eq!(row(name)[..3], [name, jobs, jobs]);
        assert_eq!(row(name)[4..5], ["0"]);
    }
    assert_ne!(row("all")[3], "0", "nothing was retried");
    for said in ["stand-in", ground, "worker.log", "before ", "after ", "alt text "] {
        assert!(printed.contains(said), "{said}: {printed}");
    }
    assert_nothing_left(folder.path());
}

#[test]
fn an_interrupted_demo_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    let mut demo = demo(&folder, "rabbitmq").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    lines.find(|line| line.as_ref().unwrap().contains("jobs done")).unwrap().unwrap();
    assert!(!processes_of(folder.path()).is_empty());
    kill_process(Pid::from_child(&demo), Signal::TERM).unwrap();
    assert_eq!(demo.wait().unwrap().code(), Some(143));
    assert_nothing_left(folder.path());
}

/// Nothing of the demo's runs any more then: whoever it started must see for themselves.
#[test]
fn a_killed_demo_leaves_nothing_running() {
    let folder = TempDir::new().unwrap();
    let mut demo = demo(&folder, "embedded").stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    lines.find(|line| line.as_ref().unwrap().contains("jobs done")).unwrap().unwrap();
    let running = processes_of(folder.path());
    assert!(running.iter().any(|line| line.contains("actionfleet dev")), "{running:?}");
    demo.kill().unwrap();
    demo.wait().unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !processes_of(folder.path()).is_empty() {
        assert!(Instant::now() < deadline, "left: {:?}", processes_of(folder.path()));
        thread::sleep(Duration::from_millis(20));
    }
}

fn assert_nothing_left(folder: &Path) {
    let deadline = Instant::now() + PATIENCE;
    while !processes_of(folder).is_empty() || fs::read_dir(folder).unwrap().next().is_some() {
        let files: Vec<_> = fs::read_dir(folder).unwrap().flatten().collect();
        assert!(Instant::now() < deadline, "left: {files:?} {:?}", processes_of(folder));
        thread::sleep(Duration::from_millis(20));
    }
}

/// The command lines of processes that carry the folder in their environment.
fn processes_of(folder: &Path) -> Vec<String> {
    let needle = folder.as_os_str().as_encoded_bytes();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let ours = entries.filter(|entry| {
        fs::read(entry.path().join("environ"))
            .is_ok_and(|environ| environ.windows(needle.len()).any(|part| part == needle))
    });
    ours.map(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).replace('\0', " ")
    })
    .collect()
}
