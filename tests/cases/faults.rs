//! Plugs pulled in the middle of work: every job gets its result all the same.

use std::time::Duration;

use actionfleet_local::{Link, Rabbit};
use serde_json::{Value, json};
use tokio::time::{Instant, interval, sleep};

use crate::harness::{Desk, Worker};

/// The longest silence: a broker's restart and the backoff after it fit in.
const SILENCE: Duration = Duration::from_secs(60);

fn echo() -> Value {
    json!({"action": "echo", "input": {"text": "x"}})
}

async fn vhost() -> String {
    Rabbit::shared().await.unwrap().vhost().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_killed_every_few_seconds_lose_nothing() {
    let url = vhost().await;
    let mut desk = Desk::open(&url).await;
    let count = 20_000;
    desk.send(count, &echo()).await;
    let start = || Worker::start(&url, &["lanes.default.permits=64", "worker.grace=5s"]);
    let mut workers = std::collections::VecDeque::from([start(), start()]);
    let mut kills = interval(Duration::from_millis(1_500));
    let mut killed = 0;
    while desk.answers.len() < usize::try_from(count).unwrap() {
        tokio::select! {
            () = desk.take(SILENCE) => {}
            _ = kills.tick() => {
                workers.pop_front().unwrap().kill().await;
                workers.push_back(start());
                killed += 1;
            }
        }
    }
    assert!(killed > 1, "too quick to be killed");
    println!("{killed} workers killed, {} results came twice", desk.duplicates());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_cut_at_random_lose_nothing() {
    let url = vhost().await;
    let mut desk = Desk::open(&url).await;
    let link = Link::to(("127.0.0.1", Rabbit::shared().await.unwrap().port())).await.unwrap();
    let vhost = url.rsplit_once('/').unwrap().1;
    let through = format!("amqp://guest:guest@127.0.0.1:{}/{vhost}", link.port());
    let count = 20_000;
    desk.send(count, &echo()).await;
    let worker = Worker::start(&through, &["lanes.default.permits=32", "limits.deliveries=1000"]);
    let mut cuts = 0;
    let mut next_cut = Instant::now() + Duration::from_millis(700);
    while desk.answers.len() < usize::try_from(count).unwrap() {
        tokio::select! {
            () = desk.take(SILENCE) => {}
            () = tokio::time::sleep_until(next_cut) => {
                link.cut();
                cuts += 1;
                let pause = 1_100 + u64::from(desk.duplicates() % 7) * 100;
                next_cut = Instant::now() + Duration::from_millis(pause);
            }
        }
    }
    println!("{cuts} cuts, {} results came twice", desk.duplicates());
    assert!(cuts > 0, "too quick to be cut");
    assert_eq!(worker.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_killed_stopped_or_out_of_disk_loses_nothing() {
    let rabbit = Rabbit::start().await.unwrap();
    let mut desk = Desk::open(&rabbit.url()).await;
    let job = json!({"action": "sleep", "input": {"json": {"duration": "50ms"}}});
    let count = 6_000;
    desk.send(count, &job).await;
    let worker =
        Worker::start(&rabbit.url(), &["lanes.default.permits=32", "limits.deliveries=1000"]);
    let third = usize::try_from(count / 3).unwrap();
    while desk.answers.len() < third / 2 {
        desk.take(SILENCE).await;
    }
    rabbit.ctl(&["set_disk_free_limit", "1000GB"]).await.unwrap();
    sleep(Duration::from_millis(500)).await;
    rabbit.ctl(&["set_disk_free_limit", "10MB"]).await.unwrap();
    while desk.answers.len() < third {
        desk.take(SILENCE).await;
    }
    rabbit.kill().await.unwrap();
    rabbit.start_again().await.unwrap();
    while desk.answers.len() < 2 * third {
        desk.take(SILENCE).await;
    }
    rabbit.stop().await.unwrap();
    rabbit.start_again().await.unwrap();
    while desk.answers.len() < usize::try_from(count).unwrap() {
        desk.take(SILENCE).await;
    }
    println!("{} results came twice", desk.duplicates());
    assert_eq!(worker.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_told_to_stop_at_any_moment_lose_nothing_and_end_well() {
    let url = vhost().await;
    let mut desk = Desk::open(&url).await;
    let count = 1_500;
    let job = json!({"action": "sleep", "input": {"json": {"duration": "20ms"}}});
    desk.send(count, &job).await;
    let start = || Worker::start(&url, &["lanes.default.permits=16", "worker.grace=1s"]);
    let mut rounds = 0;
    while desk.answers.len() < usize::try_from(count).unwrap() {
        let worker = start();
        worker.listens().await;
        let moment = Instant::now() + Duration::from_millis(400 + rounds * 37);
        let more = async {
            while desk.answers.len() < usize::try_from(count).unwrap() {
                desk.take(SILENCE).await;
            }
        };
        let _ = tokio::time::timeout_at(moment, more).await;
        assert_eq!(worker.terminate().await, Some(0));
        rounds += 1;
    }
    assert_eq!(desk.duplicates(), 0, "a stop is not a crash");
}
