use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::binaries::Binaries;
use super::ports::Ports;
use super::{Rabbit, handshake, is_port_taken};

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

/// Erlang's own child processes follow the node when they read the end of their pipes.
async fn assert_nothing_left(folder: &Path) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while folder.exists() || !processes_of(folder).is_empty() {
        assert!(Instant::now() < deadline, "left: {:#?}", processes_of(folder));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn answers(port: u16) -> bool {
    handshake::first_octet(port).await.is_ok()
}

#[tokio::test]
async fn ends_comes_back_and_leaves_nothing() {
    let began = Instant::now();
    let rabbit = Rabbit::start().await.unwrap();
    println!("started in {:?}", began.elapsed());
    let (folder, port, url) = (rabbit.folder.path().to_owned(), rabbit.port(), rabbit.url());
    assert!(rabbit.start_again().await.is_err(), "it runs already");

    let began = Instant::now();
    let vhost = rabbit.vhost().await.unwrap();
    println!("virtual hosts in {:?}", began.elapsed());
    assert_ne!(vhost, rabbit.vhost().await.unwrap());

    rabbit.kill().await.unwrap();
    assert!(!answers(port).await);
    assert!(rabbit.kill().await.is_err(), "it does not run");
    let began = Instant::now();
    rabbit.start_again().await.unwrap();
    println!("started again in {:?}", began.elapsed());
    assert!(answers(port).await);
    assert_eq!(rabbit.url(), url);
    let kept = rabbit.ctl(&["list_vhosts", "--quiet"]).await.unwrap();
    assert!(kept.contains(vhost.rsplit('/').next().unwrap()), "{kept}");

    rabbit.stop().await.unwrap();
    assert!(!answers(port).await);
    rabbit.start_again().await.unwrap();
    let error = rabbit.ctl(&["no_such_command"]).await.unwrap_err().to_string();
    assert!(error.contains("no_such_command"), "{error}");

    drop(rabbit);
    assert_nothing_left(&folder).await;
}

const OWNER: &str = "ACTIONFLEET_TEST_OWNER";

/// The process that the next test kills.
#[tokio::test]
#[ignore = "only as a child of the next test"]
async fn owner() {
    if env::var_os(OWNER).is_some() {
        let rabbit = Rabbit::start().await.unwrap();
        println!("\nfolder {}", rabbit.folder.path().display());
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn goes_with_an_owner_that_is_killed() {
    let mut owner = Command::new(env::current_exe().unwrap())
        .args(["--ignored", "--exact", "rabbit::tests::owner", "--nocapture"])
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

#[tokio::test]
async fn is_shared_with_a_virtual_host_each() {
    let (one, two) = tokio::join!(Rabbit::shared(), Rabbit::shared());
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.port(), two.port());
    let (first, second) = tokio::join!(one.vhost(), two.vhost());
    assert_ne!(first.unwrap(), second.unwrap());
}

/// `start` tries other ports when it sees such an error.
#[tokio::test]
async fn tells_a_taken_port_from_other_failures() {
    let binaries = Binaries::find().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let free = Ports::find_free().unwrap();
    for ports in [
        Ports { amqp: port, ..free },
        Ports { distribution: port, ..free },
        Ports { epmd: port, ..free },
    ] {
        let error = Rabbit::start_on(&binaries, ports, None).await.unwrap_err();
        assert!(is_port_taken(&error), "{ports:?}: {error:#}");
    }
    assert!(!is_port_taken(&anyhow::anyhow!("the node ended")));
}
