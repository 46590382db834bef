use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, core::Collector};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

#[tokio::test]
async fn it_serves_metrics_and_says_why_it_is_not_ready() {
    let registry = Registry::new();
    register_process_metrics(&registry).unwrap();
    let readiness = Readiness::default();
    let listen = "127.0.0.1:0".parse().unwrap();
    let server = AdminServer::start(listen, registry, readiness.clone()).unwrap();
    let address = server.address();

    assert!(get(address, "/livez").await.starts_with("HTTP/1.1 200"));
    assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 200"));
    readiness.block("broker", "connecting");
    readiness.block("stop", "draining");
    let unready = get(address, "/readyz").await;
    assert!(unready.starts_with("HTTP/1.1 503"), "{unready}");
    assert!(unready.ends_with("broker: connecting\nstop: draining\n"), "{unready}");
    readiness.clear("broker");
    readiness.clear("stop");
    assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 200"));

    let metrics = get(address, "/metrics").await;
    for line in
        ["actionfleet_build_info{version=\"", "process_resident_memory_bytes ", "text/plain"]
    {
        assert!(metrics.contains(line), "{line}\nis not in\n{metrics}");
    }
}

#[tokio::test]
async fn it_answers_while_this_runtime_is_busy() {
    let listen = "127.0.0.1:0".parse().unwrap();
    let server = AdminServer::start(listen, Registry::new(), Readiness::default()).unwrap();
    let address = server.address();
    // this test's only thread waits, and serves nothing meanwhile
    let answer = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(get(address, "/livez"))
    });
    assert!(answer.join().unwrap().ends_with("ok\n"));
}

#[test]
fn the_reference_knows_metrics_without_a_value() {
    let jobs = Opts::new("jobs_total", "Jobs by outcome.");
    let seconds = HistogramOpts::new("job_seconds", "How long.");
    let collectors: [Box<dyn Collector>; 2] = [
        Box::new(IntCounterVec::new(jobs, &["action", "outcome"]).unwrap()),
        Box::new(HistogramVec::new(seconds, &["action"]).unwrap()),
    ];
    let page = metrics_reference(&collectors);
    assert!(page.contains("| `jobs_total` | counter | `action`, `outcome` | Jobs by outcome. |"));
    assert!(page.contains("| `job_seconds` | histogram | `action` | How long. |"));
}
