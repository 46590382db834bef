use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use actionfleet_store::{Claim, Claimed, StoreConfig, StoreError, open};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::load::{claim, outcome};

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data/store.db");
    (folder, file)
}

fn config(file: &Path) -> StoreConfig {
    let url = format!("sqlite:{}", file.display());
    StoreConfig { timeout: Duration::from_millis(300), ..StoreConfig::new(url) }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_migrate_at_once() {
    let (_folder, file) = place();
    let config = StoreConfig { timeout: Duration::from_secs(30), ..config(&file) };
    let opens = (0..6).map(|_| tokio::spawn(open(config.clone())));
    for opened in futures::future::join_all(opens).await {
        let store = opened.unwrap().unwrap();
        assert_eq!(store.ledger.claim(claim()).await.unwrap(), Claimed::Execute);
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (_folder, file) = place();
    drop(open(config(&file)).await.unwrap());
    let connection = Connection::open(&file).unwrap();
    let newer = "insert into refinery_schema_history select 999, 'newer', applied_on, checksum \
                 from refinery_schema_history limit 1";
    connection.execute(newer, []).unwrap();
    let error = open(config(&file)).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { found: 999, .. }), "{error}");
}

#[tokio::test]
async fn a_damaged_file_is_named_with_the_way_out() {
    let (_folder, file) = place();
    let store = open(config(&file)).await.unwrap();
    for _ in 0..200 {
        store.ledger.claim(claim()).await.unwrap();
    }
    drop(store);
    let connection = Connection::open(&file).unwrap();
    connection.execute_batch("pragma wal_checkpoint(truncate)").unwrap();
    drop(connection);
    let whole = fs::read(&file).unwrap();
    assert!(whole.len() > 64 * 1024);
    let mut holed = whole.clone();
    holed[20_000..60_000].fill(0xA5);
    for (name, bytes) in [
        ("no database", b"just some text, long enough to be looked at".repeat(50)),
        ("holed", holed),
        ("cut short", whole[..whole.len() / 2].to_vec()),
    ] {
        for extra in ["-wal", "-shm"] {
            let _ = fs::remove_file(format!("{}{extra}", file.display()));
        }
        fs::write(&file, bytes).unwrap();
        let error = open(config(&file)).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{name}: {error}");
        let text = error.to_string();
        assert!(
            text.contains("store.db is damaged") && text.contains("restore a backup"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_file_that_is_kept_by_another_is_said_to_be() {
    let (_folder, file) = place();
    drop(open(config(&file)).await.unwrap());
    let other = Connection::open(&file).unwrap();
    // the dropped store closes its connections by and by
    let keep = "pragma locking_mode = exclusive; begin exclusive; commit";
    while other.execute_batch(keep).is_err() {
        tokio::task::yield_now().await;
    }
    let error = open(config(&file)).await.unwrap_err();
    assert!(matches!(error, StoreError::Held { .. }), "{error}");
    assert!(error.to_string().contains("store.db is held by another process"), "{error}");
    drop(other);
    open(config(&file)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_too_long_for_another_is_told_and_may_try_again() {
    let (_folder, file) = place();
    let store = open(config(&file)).await.unwrap();
    let other = Connection::open(&file).unwrap();
    other.execute_batch("begin immediate").unwrap();
    let first = claim();
    let error = store.ledger.claim(first.clone()).await.unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert_eq!(store.ledger.get(&first.job_id).await.unwrap(), None, "reads go on");
    other.execute_batch("rollback").unwrap();
    assert_eq!(store.ledger.claim(first).await.unwrap(), Claimed::Execute);
}

#[tokio::test]
async fn a_path_that_leads_nowhere_is_said_to() {
    let folder = tempfile::tempdir().unwrap();
    let error = open(config(folder.path())).await.unwrap_err();
    assert!(matches!(error, StoreError::Denied(_)), "{error}");
    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let error = open(config(&file.join("store.db"))).await.unwrap_err();
    assert!(matches!(error, StoreError::Config(_)), "{error}");
}

const FILE: &str = "ACTIONFLEET_TEST_FILE";

/// The process that the next test kills: it prints what was confirmed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "only as a child of the next test"]
async fn writer() {
    let Some(file) = env::var_os(FILE) else { return };
    let store = open(config(Path::new(&file))).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let ledger = store.ledger.clone();
        tasks.spawn(async move {
            loop {
                let claim = claim();
                ledger.claim(claim.clone()).await.unwrap();
                ledger.finish(&claim, outcome(&claim.job_id)).await.unwrap();
                // a line at once, so that none is cut
                std::io::stdout()
                    .write_all(format!("\ndone {}\n", claim.job_id).as_bytes())
                    .unwrap();
            }
        });
    }
    tasks.join_next().await;
}

#[tokio::test]
async fn a_killed_process_loses_nothing_that_was_confirmed() {
    let (_folder, file) = place();
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "file::writer", "--nocapture"])
        .env(FILE, &file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut confirmed: Vec<String> = Vec::new();
    let done = |line: String| line.strip_prefix("done ").map(str::to_owned);
    while confirmed.len() < 200 {
        confirmed.extend(done(lines.next().expect("it goes on").unwrap()));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    confirmed.extend(lines.map_while(Result::ok).filter_map(done));

    let store = open(config(&file)).await.unwrap();
    for job_id in confirmed {
        let again = Claim { redelivered: true, job_id: job_id.clone(), ..claim() };
        let answer = store.ledger.claim(again).await.unwrap();
        assert_eq!(answer, Claimed::Recorded(Box::new(outcome(&job_id))));
    }
}
