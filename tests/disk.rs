//! Disks that are full: small ones, mounted for a test each.
//!
//! They have a binary of their own for the sake of its harness: whether this process may mount shows
//! only at run time, and Rust's own harness cannot ignore a test then. Where it may not, they are
//! listed as ignored, with what they need. The mounts are in a namespace of this process, and go
//! with it however it ends.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::missing_panics_doc,
    clippy::wildcard_imports,
    clippy::similar_names,
    reason = "the harness is for the other tests, too, and a test binary has no API"
)]

mod harness;

use std::{
    env,
    fs::{self, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use actionfleet_local::{Postgres, Rabbit};
use actionfleet_store::{JobFilter, JobStatus, StoreConfig};
use libtest_mimic::{Arguments, Trial};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{runtime::Runtime, time::timeout};

use crate::harness::{Desk, PATIENCE, Service};

/// Set in the process that has a namespace of its own.
const APART: &str = "ACTIONFLEET_TEST_APART";
const JOBS: u32 = 2_000;

fn main() -> ExitCode {
    let is_apart = env::var_os(APART).is_some();
    let may_mount = is_apart || may_mount();
    if may_mount && !is_apart {
        let mut apart = Command::new("unshare");
        apart.arg("--mount").arg(env::current_exe().unwrap()).args(env::args_os().skip(1));
        panic!("{}", apart.env(APART, "1").exec());
    }
    let trial = |name: &str, case: fn()| {
        let test = Trial::test(name, move || {
            case();
            Ok(())
        });
        let kind = if may_mount { "" } else { "needs the right to mount" };
        test.with_ignored_flag(!may_mount).with_kind(kind)
    };
    let trials = vec![
        trial("jobs_wait_for_room_on_the_disk_of_the_server", || {
            block_on(jobs_wait_for_room_on_the_disk_of_the_server());
        }),
        trial("best_effort_goes_on_beside_a_server_without_room", || {
            block_on(best_effort_goes_on_beside_a_server_without_room());
        }),
        trial("jobs_wait_for_room_on_the_disk_of_the_folder", || {
            block_on(jobs_wait_for_room_on_the_disk_of_the_folder());
        }),
        trial("replies_wait_for_room_on_the_disk_of_the_queue", || {
            block_on(replies_wait_for_room_on_the_disk_of_the_queue());
        }),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn block_on(case: impl Future<Output = ()>) {
    Runtime::new().unwrap().block_on(case);
}

fn may_mount() -> bool {
    let folder = TempDir::new().unwrap();
    let probe = Command::new("unshare")
        .args(["--mount", "mount", "-t", "tmpfs", "tmpfs"])
        .arg(folder.path())
        .output();
    probe.is_ok_and(|output| output.status.success())
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A disk with so much room, gone when it is dropped.
struct Disk(TempDir);

impl Disk {
    fn of(size: &str) -> Self {
        let disk = Self(TempDir::new().unwrap());
        let options = format!("size={size},mode=0755");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(disk.path()));
        disk
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut ballast =
            OpenOptions::new().create(true).append(true).open(self.ballast()).unwrap();
        let error = loop {
            if let Err(error) = ballast.write_all(&[0; 4096]) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }

    fn make_room(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).output();
    }
}

fn echo() -> Value {
    json!({"action": "echo", "input": {"text": "x"}})
}

/// A server with a database whose tables are on the disk.
async fn server_on(disk: &Disk) -> (Postgres, String) {
    let postgres = Postgres::start().await.unwrap();
    let folder = disk.path().join("tables");
    fs::create_dir(&folder).unwrap();
    let whose = format!("--reference={}", postgres.socket_folder().display());
    run(Command::new("chown").arg(whose).arg(&folder));
    let space = format!("create tablespace small location '{}'", folder.display());
    postgres.sql("postgres", &space).await.unwrap();
    postgres.sql("postgres", "create database small tablespace small").await.unwrap();
    let url = format!("postgres://actionfleet@127.0.0.1:{}/small", postgres.port());
    (postgres, url)
}

async fn count(store: &str, status: Option<JobStatus>) -> u32 {
    let store = actionfleet_store::open(StoreConfig::new(store)).await.unwrap();
    let limit = Some(JobFilter::LIMIT_MAX);
    let (mut count, mut filter) = (0, JobFilter { status, limit, ..JobFilter::default() });
    loop {
        let page = store.ledger.find(&filter).await.unwrap();
        count += u32::try_from(page.jobs.len()).unwrap();
        if page.next.is_none() {
            return count;
        }
        filter.after = page.next;
    }
}

async fn worker(queue: &str, store: &str, policy: &str) -> Service {
    let (store, policy) = (format!("store.url={store}"), format!("store.ledger={policy}"));
    Service::start(queue, &[&store, &policy, "lanes.default.permits=32", "worker.grace=2s"]).await
}

/// Fills the disk while jobs come in, makes room when the worker has said this, and checks that
/// each job has its one result.
async fn wait_for_room(disk: &Disk, queue: &str, store: &str, full: &str) {
    let mut desk = Desk::open(queue).await;
    let fleet = worker(queue, store, "required").await;
    desk.send(JOBS, &echo()).await;
    desk.take_until(JOBS / 10).await;
    disk.fill();
    fleet.is_unready(full).await;
    disk.make_room();
    desk.take_until(JOBS).await;
    fleet.is_ready().await;
    desk.each_has_one_distinct();
    assert_eq!(desk.duplicates(), 0);
    assert_eq!(fleet.stop().await, Some(0));
    assert_eq!(count(store, None).await, JOBS);
    for status in [JobStatus::Running, JobStatus::Waiting] {
        assert_eq!(count(store, Some(status)).await, 0, "{status:?}");
    }
}

async fn jobs_wait_for_room_on_the_disk_of_the_server() {
    let disk = Disk::of("48m");
    let (_postgres, store) = server_on(&disk).await;
    let queue = Rabbit::shared().await.unwrap().vhost().await.unwrap();
    wait_for_room(&disk, &queue, &store, "ledger: the store is full: could not extend file ").await;
}

async fn best_effort_goes_on_beside_a_server_without_room() {
    let disk = Disk::of("48m");
    let (_postgres, store) = server_on(&disk).await;
    let queue = Rabbit::shared().await.unwrap().vhost().await.unwrap();
    let mut desk = Desk::open(&queue).await;
    let fleet = worker(&queue, &store, "best_effort").await;
    fleet.is_ready().await;
    disk.fill();
    desk.send(JOBS, &echo()).await;
    desk.take_until(JOBS).await;
    fleet.says("the store is full: could not extend file ").await;
    fleet.is_ready().await;
    desk.each_has_one_distinct();
    disk.make_room();
    let ended = async { while count(&store, Some(JobStatus::Running)).await > 0 {} };
    timeout(PATIENCE, ended).await.expect("rows that end");
    assert_eq!(fleet.stop().await, Some(0));
}

async fn jobs_wait_for_room_on_the_disk_of_the_folder() {
    let disk = Disk::of("96m");
    let queue = format!("embedded:{}", disk.path().display());
    let store = format!("sqlite:{}", disk.path().join("store.db").display());
    // the queue's file and the store's, whichever is the first that has to grow
    let full = "disk is full";
    wait_for_room(&disk, &queue, &store, full).await;
}

/// A queue that is full is offered a reply eight times. A disk that is full says nothing of the reply's
/// queue: its reply is kept for as long as that takes.
async fn replies_wait_for_room_on_the_disk_of_the_queue() {
    const JOBS: u32 = 400;
    let (disk, elsewhere) = (Disk::of("64m"), TempDir::new().unwrap());
    let queue = format!("embedded:{}", disk.path().display());
    let store = format!("sqlite:{}", elsewhere.path().join("store.db").display());
    let mut desk = Desk::open(&queue).await;
    let fleet = worker(&queue, &store, "required").await;
    desk.send(JOBS, &echo()).await;
    desk.take_until(JOBS / 10).await;
    disk.fill();
    fleet.is_unready("broker: takes no messages: ").await;
    let value = |metrics: &str, name: &str| -> u64 {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0, |value| value.trim().parse().unwrap())
    };
    let is_offered_often = |metrics: &str| {
        let refused = r#"actionfleet_publishes_total{result="refused",to="reply"}"#;
        let in_flight = r#"actionfleet_jobs_in_flight{lane="default"}"#;
        value(metrics, refused) > 8 * value(metrics, in_flight)
    };
    fleet.until("/metrics", is_offered_often).await;
    disk.make_room();
    desk.take_until(JOBS).await;
    fleet.is_ready().await;
    desk.each_has_one_distinct();
    assert_eq!(fleet.stop().await, Some(0));
}
