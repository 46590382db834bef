//! The worker as a process: what it answers, and how it ends.

use std::time::Duration;

use actionfleet_local::{Link, Rabbit};
use serde_json::json;
use tokio::time::timeout;

use super::{Cli, Said};
use crate::harness::Service;

/// Long enough for a process to start and to be told no, far less than the wait for a broker that
/// is away.
const QUICK: Duration = Duration::from_secs(8);

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
    let at_once = worker.get("/metrics").await;
    assert!(at_once.contains("actionfleet_definitions{kind=\"action_type\"} "), "{at_once}");
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
