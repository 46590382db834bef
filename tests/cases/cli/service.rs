//! The worker as a process: what it answers, and how it ends.

use std::{process::Stdio, time::Duration};

use actionfleet_local::{Link, Rabbit};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::Child,
    time::{Instant, timeout},
};

use super::{Cli, Said};
use crate::harness::{PATIENCE, actionfleet};

/// Long enough for a process to start and to be told no, far less than the wait for a broker that
/// is away.
const QUICK: Duration = Duration::from_secs(8);

struct Service {
    child: Child,
    admin: String,
}

impl Service {
    /// Starts a worker; it tells in its log where it answers.
    async fn start(url: &str, settings: &[&str]) -> Self {
        let mut command = actionfleet();
        command.args(["worker", "--log-format", "json"]);
        command.args(["--set", &format!("broker.url={url}"), "--set", "admin.listen=127.0.0.1:0"]);
        command.args(settings.iter().flat_map(|setting| ["--set", setting]));
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let admin = timeout(PATIENCE, async {
            loop {
                let line = log.next_line().await.unwrap().expect("an admin server");
                let line: Value = serde_json::from_str(&line).expect("a log in JSON");
                if let Some(address) = line.get("address").and_then(Value::as_str) {
                    return address.to_owned();
                }
            }
        });
        let admin = admin.await.expect("an admin server");
        // a pipe that nobody reads would hold the worker up
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        Self { child, admin }
    }

    async fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.admin).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    }

    /// Asks until the answer is as it should be.
    async fn until(&self, path: &str, holds: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let response = self.get(path).await;
            if holds(&response) {
                return response;
            }
            assert!(Instant::now() < deadline, "{path}: {response}");
        }
    }

    fn terminate(&self) {
        let pid = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed())).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
    }

    async fn ended(mut self) -> Option<i32> {
        timeout(PATIENCE, self.child.wait()).await.expect("an end").unwrap().code()
    }
}

#[tokio::test]
async fn a_worker_that_is_refused_says_so_and_ends() {
    let cli = Cli::alone().await;
    let (_, vhost) = cli.url.rsplit_once('/').unwrap();
    for (from, to) in [("guest:guest@", "guest:wrong@"), (vhost, "no-such-vhost")] {
        let url = format!("broker.url={}", cli.url.replace(from, to));
        let arguments = ["worker", "--set", &url, "--set", "admin.listen=off"];
        let said: Said = timeout(QUICK, cli.run_with(&[], &arguments)).await.expect("an end");
        said.failed(77, "cannot log in to the broker at amqp://guest:***@127.0.0.1:");
        said.failed(77, " as `guest`: the broker refuses the connection: ");
        said.failed(77, "; check user, password and virtual host in `broker.url`");
        assert!(!said.err.contains("wrong"), "{}", said.err);
        assert_eq!(said.err.lines().count(), 1, "nothing else is worth a word: {}", said.err);
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_told() {
    let cli = Cli::alone().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("admin.listen={}", taken.local_addr().unwrap());
    cli.run(&["worker", "--set", &listen]).await.failed(69, "set `admin.listen` to another");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_says_how_it_is_and_is_not_ready_without_its_broker() {
    let cli = Cli::alone().await;
    let rabbit = Rabbit::shared().await.unwrap();
    let link = Link::to(("127.0.0.1", rabbit.port())).await.unwrap();
    let through = cli.url.replace(&format!(":{}/", rabbit.port()), &format!(":{}/", link.port()));
    let worker = Service::start(&through, &[]).await;
    worker.until("/readyz", |response| response.starts_with("HTTP/1.1 200")).await;
    assert!(worker.get("/livez").await.ends_with("ok\n"));
    cli.run(&["enqueue", "echo", "--text", "x", "--wait"]).await.done();
    let metrics = worker.get("/metrics").await;
    for line in [
        "actionfleet_jobs_total{action=\"echo\",outcome=\"succeeded\"} 1\n",
        "actionfleet_broker_link_up 1\n",
        "actionfleet_jobs_in_flight{lane=\"default\"} ",
        "actionfleet_lane_permits{lane=\"bulk\"} 64\n",
        "actionfleet_build_info{version=",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }

    link.refuse(true);
    link.cut();
    let unready = worker.until("/readyz", |response| response.starts_with("HTTP/1.1 503")).await;
    assert!(unready.ends_with("\r\n\r\nbroker: not linked\n"), "{unready}");
    assert!(worker.get("/livez").await.starts_with("HTTP/1.1 200"));
    assert!(worker.get("/metrics").await.contains("actionfleet_broker_link_up 0\n"));
    link.refuse(false);
    worker.until("/readyz", |response| response.starts_with("HTTP/1.1 200")).await;
    cli.run(&["enqueue", "echo", "--text", "y", "--wait"]).await.done();
    worker.terminate();
    assert_eq!(worker.ended().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_during_a_job_puts_it_back_and_ends_with_0() {
    let cli = Cli::alone().await;
    let worker = Service::start(&cli.url, &["worker.grace=2s"]).await;
    cli.write("nap.json", r#"{"arguments": {"duration": "10m"}}"#);
    cli.run(&["enqueue", "sleep", "--input", "nap.json", "--id", "nap"]).await.done();
    let running = "actionfleet_jobs_in_flight{lane=\"default\"} 1\n";
    worker.until("/metrics", |metrics| metrics.contains(running)).await;
    worker.terminate();
    let draining = worker.until("/readyz", |response| response.starts_with("HTTP/1.1 503")).await;
    assert!(draining.contains("stop: draining\n"), "{draining}");
    assert_eq!(worker.ended().await, Some(0));
    let [status] = cli.run(&["status", "--json"]).await.json().try_into().unwrap();
    assert_eq!(status["lanes"][1]["ready"], json!(1), "{status}");
}
