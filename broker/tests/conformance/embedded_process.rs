//! Processes that die, and processes that must not grow. The child is this test binary itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader, Lines, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use actionfleet_broker::{Address, Source, embedded::EmbeddedConfig};
use actionfleet_proto::Names;
use tokio::time::{Instant, timeout};

use crate::engines::{EmbeddedEngine, lane, message, next, open};

const ROLE: &str = "ACTIONFLEET_TEST_CHILD";
const FOLDER: &str = "ACTIONFLEET_TEST_FOLDER";
const PREFETCH: u16 = 50;

struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(role: &str, folder: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["embedded_process::child", "--exact", "--ignored", "--nocapture"])
            .env(ROLE, role)
            .env(FOLDER, folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// A word and an id; without what the test runner says.
    fn next(&mut self) -> Option<(String, String)> {
        loop {
            let line = self.lines.next()?.ok()?;
            let said = line.split_once(' ').filter(|(word, _)| {
                ["confirmed", "delivered", "counted", "acking", "acked", "kib"].contains(word)
            });
            if let Some((word, id)) = said {
                return Some((word.to_owned(), id.to_owned()));
            }
        }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn say(word: &str, id: &str) {
    // one write, so that no line is torn by the kill
    std::io::stdout().write_all(format!("{word} {id}\n").as_bytes()).unwrap();
}

#[test]
#[ignore = "started by the other tests"]
fn child() {
    let (Ok(role), Ok(folder)) = (std::env::var(ROLE), std::env::var(FOLDER)) else { return };
    let config = EmbeddedConfig::new(folder);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async move {
        match role.as_str() {
            "load" => load(config).await,
            "hold" => hold(config).await,
            "backlog" => backlog(config).await,
            other => panic!("{other}"),
        }
    });
}

/// Publishes and consumes until it is killed.
async fn load(config: EmbeddedConfig) {
    let broker = open(config).await;
    for producer in 0..8 {
        let broker = broker.clone();
        tokio::spawn(async move {
            for n in 0.. {
                let id = format!("{}-{producer}-{n}", std::process::id());
                let delay = Duration::from_millis(n % 5);
                let to = match n % 3 {
                    0 => Address::Delayed { lane: "default".into(), delay },
                    _ => lane("default"),
                };
                if broker.publish(&to, message(&id)).await.is_ok() {
                    say("confirmed", &id);
                }
            }
        });
    }
    let mut consumer = broker.consume(Source::Lane("default".into()), PREFETCH).await.unwrap();
    while let Some(delivery) = consumer.next().await {
        tokio::spawn(async move {
            let id = delivery.properties.message_id.clone().unwrap();
            say("delivered", &id);
            if delivery.delivery_count > 0 {
                say("counted", &id);
            }
            // work, so that a kill finds much of it unsettled
            tokio::time::sleep(Duration::from_millis(fastrand::u64(0..20))).await;
            say("acking", &id);
            if delivery.ack().await.is_ok() {
                say("acked", &id);
            }
        });
    }
}

#[derive(Default)]
struct Seen {
    confirmed: BTreeSet<String>,
    delivered: BTreeMap<String, u32>,
    acking: BTreeSet<String>,
    acked: BTreeSet<String>,
    /// Delivered after they had been acked before an earlier kill.
    again: usize,
    /// Delivered with word of a crash before.
    counted: usize,
}

impl Seen {
    fn note(&mut self, (word, id): (String, String), acked_before: &BTreeSet<String>) {
        match word.as_str() {
            "confirmed" => drop(self.confirmed.insert(id)),
            "delivered" => {
                self.again += usize::from(acked_before.contains(&id));
                *self.delivered.entry(id).or_default() += 1;
            }
            "counted" => self.counted += 1,
            "acking" => drop(self.acking.insert(id)),
            _ => drop(self.acked.insert(id)),
        }
    }
}

#[tokio::test]
async fn killed_at_any_moment_nothing_confirmed_is_lost() {
    let engine = EmbeddedEngine::fresh().await;
    let kills = std::env::var("EMBEDDED_KILLS").map_or(6, |kills| kills.parse().unwrap());
    let mut seen = Seen::default();
    for _ in 0..kills {
        let acked_before = seen.acked.clone();
        let mut process = Process::start("load", &engine.config().folder);
        for _ in 0..fastrand::usize(200..3_000) {
            seen.note(process.next().expect("it runs until it is killed"), &acked_before);
        }
        process.kill();
        while let Some(said) = process.next() {
            seen.note(said, &acked_before);
        }
    }
    let broker = engine.open().await;
    let mut consumer = broker.consume(Source::Lane("default".into()), PREFETCH).await.unwrap();
    let acked_before = seen.acked.clone();
    let mut left = BTreeSet::new();
    while let Ok(delivery) = timeout(Duration::from_millis(1_500), consumer.next()).await {
        let delivery = delivery.unwrap();
        let id = delivery.properties.message_id.clone().unwrap();
        seen.counted += usize::from(delivery.delivery_count > 0);
        seen.again += usize::from(acked_before.contains(&id));
        assert!(left.insert(id), "twice in one process");
        delivery.ack().await.unwrap();
    }
    let lost: Vec<_> = seen
        .confirmed
        .iter()
        .filter(|id| !seen.acking.contains(*id) && !left.contains(*id))
        .collect();
    assert_eq!(lost, Vec::<&String>::new(), "of {}", seen.confirmed.len());
    let most = kills * usize::from(PREFETCH);
    assert!(seen.again <= most, "{} came again though they were acked", seen.again);
    assert!(seen.confirmed.len() > 100 && seen.acked.len() > 100, "there was load");
    assert!(seen.counted > 0, "what was unsettled at the kill is counted");
    eprintln!(
        "{kills} kills: {} confirmed, none lost; {} acked, {} of them came again; {} counted",
        seen.confirmed.len(),
        seen.acked.len(),
        seen.again,
        seen.counted,
    );
}

/// Takes one message and keeps it.
async fn hold(config: EmbeddedConfig) {
    let broker = open(config).await;
    let mut consumer = broker.consume(Source::Lane("default".into()), 1).await.unwrap();
    let delivery = next(&mut consumer).await;
    say("delivered", delivery.properties.message_id.as_deref().unwrap());
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn what_a_killed_process_held_comes_at_once() {
    let engine = EmbeddedEngine::fresh().await;
    let broker = engine.open().await;
    broker.publish(&lane("default"), message("1")).await.unwrap();
    for crashes in 1..=2 {
        let mut process = Process::start("hold", &engine.config().folder);
        assert_eq!(process.next(), Some(("delivered".into(), "1".into())));
        let mut consumer = broker.consume(Source::Lane("default".into()), 1).await.unwrap();
        let early = timeout(Duration::from_millis(600), consumer.next()).await;
        assert!(early.is_err(), "its process lives");
        process.kill();
        let killed = Instant::now();
        let delivery = next(&mut consumer).await;
        assert!(killed.elapsed() < Duration::from_secs(3), "after {:?}", killed.elapsed());
        assert_eq!(delivery.delivery_count, crashes);
        delivery.requeue().await.unwrap();
        consumer.stop();
        while let Some(delivery) = consumer.next().await {
            delivery.requeue().await.unwrap();
        }
        let queue = Names::default().lane("default");
        let gone = async { while broker.depth(&queue).await.unwrap().consumers > 0 {} };
        timeout(Duration::from_secs(10), gone).await.expect("no consumer is left");
    }
}

const BODY: usize = 8 * 1024;

/// Puts many messages there, and works some of them off.
async fn backlog(config: EmbeddedConfig) {
    let messages: u32 = std::env::var("EMBEDDED_BACKLOG").map_or(20_000, |n| n.parse().unwrap());
    let broker = open(config).await;
    let one = || {
        let mut message = message("x");
        message.body = vec![b'x'; BODY].into();
        message
    };
    broker.publish(&lane("default"), one()).await.unwrap();
    say("kib", &memory("VmRSS:").to_string());
    let producers = (0..64).map(|producer| {
        let broker = broker.clone();
        tokio::spawn(async move {
            for _ in (producer..messages).step_by(64) {
                broker.publish(&lane("default"), one()).await.unwrap();
            }
        })
    });
    for producer in producers.collect::<Vec<_>>() {
        producer.await.unwrap();
    }
    let depth = broker.depth(&Names::default().lane("default")).await.unwrap();
    assert_eq!(depth.ready, messages + 1);
    let mut consumer = broker.consume(Source::Lane("default".into()), 1_000).await.unwrap();
    for _ in 0..messages / 4 {
        next(&mut consumer).await.ack().await.unwrap();
    }
    say("kib", &memory("VmHWM:").to_string());
}

fn memory(line: &str) -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let found = status.lines().find_map(|text| text.strip_prefix(line)).unwrap();
    found.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn a_backlog_does_not_fill_the_memory() {
    let engine = EmbeddedEngine::fresh().await;
    let mut process = Process::start("backlog", &engine.config().folder);
    let mut kib = || process.next().expect("a size").1.parse::<u32>().unwrap();
    let (first, most) = (kib(), kib());
    // the backlog has 160 MiB at least; the page cache may take 16, a prefetch of messages 8
    assert!(most - first < 64 * 1024, "grew from {first} to {most} KiB");
    eprintln!("grew by {} KiB", most - first);
}
