use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::{Account, Binaries, Postgres, free_port, is_port_taken};

/// A line each for processes that carry the folder in their environment.
fn processes_of(folder: &Path) -> Vec<String> {
    let needle = folder.as_os_str().as_encoded_bytes();
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| {
            fs::read(entry.path().join("environ"))
                .is_ok_and(|environ| environ.windows(needle.len()).any(|part| part == needle))
        })
        .map(|entry| {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).replace('\0', " ")
        })
        .collect()
}

async fn assert_nothing_left(folder: &Path) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while folder.exists() || !processes_of(folder).is_empty() {
        assert!(Instant::now() < deadline, "left: {:#?}", processes_of(folder));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn ends_comes_back_and_leaves_nothing() {
    let began = Instant::now();
    let postgres = Postgres::start().await.unwrap();
    println!("started in {:?}", began.elapsed());
    let folder = postgres.socket_folder().to_owned();
    assert!(!processes_of(&folder).is_empty());
    assert!(postgres.start_again().await.is_err(), "it runs already");
    let url = postgres.database().await.unwrap();
    assert_ne!(url, postgres.database().await.unwrap());
    let database = url.rsplit('/').next().unwrap();
    postgres.sql(database, "create table kept as select 7 as number").await.unwrap();

    for end in ["kill", "stop"] {
        let ended = if end == "kill" { postgres.kill().await } else { postgres.stop().await };
        ended.unwrap();
        assert!(postgres.sql(database, "select 1").await.is_err());
        assert!(postgres.kill().await.is_err(), "it does not run");
        let began = Instant::now();
        postgres.start_again().await.unwrap();
        println!("started after a {end} in {:?}", began.elapsed());
        assert_eq!(postgres.sql(database, "select number from kept").await.unwrap(), "7");
    }
    let error = postgres.sql(database, "select nonsense").await.unwrap_err().to_string();
    assert!(error.contains("nonsense"), "{error}");

    drop(postgres);
    assert_nothing_left(&folder).await;
}

const OWNER: &str = "ACTIONFLEET_TEST_OWNER";

/// The process that the next test kills.
#[tokio::test]
#[ignore = "only as a child of the next test"]
async fn owner() {
    if env::var_os(OWNER).is_some() {
        let postgres = Postgres::start().await.unwrap();
        println!("\nfolder {}", postgres.socket_folder().display());
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn goes_with_an_owner_that_is_killed() {
    let mut owner = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "postgres::tests::owner", "--nocapture"])
        .env(OWNER, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(owner.stdout.take().unwrap()).lines();
    let folder: PathBuf = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("folder ").map(PathBuf::from))
        .unwrap();
    assert!(folder.exists());
    // SIGKILL: nothing of the owner's runs any more
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert_nothing_left(&folder).await;
}

/// `start` tries another port when it sees such an error.
#[tokio::test]
async fn tells_a_taken_port_from_other_failures() {
    let (binaries, account) = (Binaries::find().unwrap(), Account::choose().unwrap());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = Postgres::start_on(&binaries, account, port).await.unwrap_err();
    assert!(is_port_taken(&error), "{error:#}");
    assert!(!is_port_taken(&anyhow::anyhow!("the server ended")));
    assert_ne!(free_port().unwrap(), 0);
}

#[tokio::test]
async fn is_shared_with_a_database_each() {
    let (one, two) = tokio::join!(Postgres::shared(), Postgres::shared());
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.port(), two.port());
    let (first, second) = tokio::join!(one.database(), two.database());
    assert_ne!(first.unwrap(), second.unwrap());
}
