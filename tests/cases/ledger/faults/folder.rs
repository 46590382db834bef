//! Queue and store in files of one folder.

use std::{
    fs::{self, File, OpenOptions},
    path::PathBuf,
    process::Output,
};

use actionfleet_proto::Status;
use actionfleet_store::{JobStatus, StoreConfig};
use rustix::{
    fs::{FlockOperation, fcntl_lock},
    process::{Resource, Rlimit, prlimit},
};
use tempfile::TempDir;
use tokio::{process::Command, time::timeout};

use super::echo;
use crate::harness::{Desk, PATIENCE, Service, actionfleet};

struct Files {
    folder: TempDir,
    queue: String,
    store: String,
}

impl Files {
    /// With a store in which nothing is.
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let queue = format!("embedded:{}", folder.path().display());
        let store = format!("sqlite:{}", folder.path().join("store.db").display());
        let files = Self { folder, queue, store };
        // by another process: this one's connections would close by and by, and write once more
        let mut other = actionfleet();
        let made = other.args(["jobs", "list", "--set", &files.setting()]).output().await.unwrap();
        assert!(made.status.success(), "{made:?}");
        files
    }

    fn store_file(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    /// Keeps the file from other processes, as `SQLite` does in exclusive mode.
    fn hold(&self) -> File {
        let file = OpenOptions::new().read(true).write(true).open(self.store_file()).unwrap();
        fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).unwrap();
        file
    }

    fn setting(&self) -> String {
        format!("store.url={}", self.store)
    }

    async fn worker(&self) -> Service {
        Service::start(&self.queue, &[&self.setting()]).await
    }

    /// A worker that is to end by itself.
    async fn refused(&self) -> Output {
        let queue = format!("broker.url={}", self.queue);
        let mut worker = actionfleet();
        worker.args(["worker", "--set", "admin.listen=off", "--set", "store.timeout=300ms"]);
        worker.args(["--set", &queue, "--set", &self.setting()]);
        timeout(PATIENCE, worker.output()).await.expect("an end").unwrap()
    }
}

/// Ended with what a configuration that cannot be used ends with, saying all of these.
fn refuses(output: Output, said: &[&str]) {
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(78), "{text}");
    let text = text.lines().last().unwrap();
    for words in said {
        assert!(text.contains(words), "{words:?} is not in {text}");
    }
}

#[tokio::test]
async fn a_damaged_file_is_refused_by_name_with_the_way_out() {
    let files = Files::new().await;
    let name = files.store_file().display().to_string();
    // from which it could be made whole
    for extra in ["-wal", "-shm"] {
        let _ = fs::remove_file(format!("{name}{extra}"));
    }
    fs::write(&name, "just some text, long enough to be looked at".repeat(50)).unwrap();
    let damaged = format!("{name} is damaged: ");
    refuses(files.refused().await, &[&damaged, "move it away", "restore a backup"]);
}

#[tokio::test]
async fn a_file_that_is_kept_by_another_process_is_refused_by_name() {
    let files = Files::new().await;
    let held = files.hold();
    let kept = format!("{} is held by another process: ", files.store_file().display());
    refuses(files.refused().await, &[&kept, "stop that process, or choose another file"]);
    drop(held);
    let worker = files.worker().await;
    worker.is_ready().await;
    assert_eq!(worker.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_wait_for_files_that_may_not_grow() {
    const JOBS: u32 = 1_000;
    let files = Files::new().await;
    let mut desk = Desk::open(&files.queue).await;
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -S -f 1024; exec \"$@\"", "sh"]);
    limited.arg(actionfleet().as_std().get_program()).kill_on_drop(true);
    let worker = Service::run(limited, &files.queue, &[&files.setting()]).await;
    desk.send(JOBS, &echo()).await;
    worker.is_unready("disk I/O error").await;
    let unlimited = Rlimit { current: None, maximum: None };
    prlimit(Some(worker.pid()), Resource::Fsize, unlimited).unwrap();
    desk.take_until(JOBS).await;
    worker.is_ready().await;
    desk.each_has_one_distinct();
    assert_eq!(desk.duplicates(), 0);
    assert_eq!(worker.stop().await, Some(0));
    let store = actionfleet_store::open(StoreConfig::new(&*files.store)).await.unwrap();
    let succeeded = Some(JobStatus::Finished(Status::Succeeded));
    assert_eq!(super::rows(&store, succeeded).await, JOBS);
}
