use std::time::Duration;

use actionfleet_broker::{Address, LinkState, Message, Properties};
use actionfleet_proto::{Input, Output, Status, Timestamp, Timing};

use super::*;
use crate::{Producer, ProducerConfig, fake::FakeBroker};

fn producer(broker: &Arc<FakeBroker>, waiters: usize) -> Producer {
    let config = ProducerConfig { waiters, ..ProducerConfig::default() };
    Producer::new(broker.port(), config)
}

fn job(id: &str) -> Job {
    Job { id: Some(id.to_owned()), ..Job::new("refine_text", Input::text("x")) }
}

fn reply_to(published: &(Address, Message)) -> String {
    match Job::from_slice(&published.1.body).unwrap().reply {
        Some(Reply::Queue { queue }) => queue,
        other => panic!("{other:?}"),
    }
}

fn result(id: &str) -> Message {
    let now = Timestamp::now();
    let timing = Timing {
        enqueued_at: now,
        started_at: None,
        finished_at: now,
        queued_ms: 0,
        running_ms: 0,
    };
    let result = JobResult {
        id: id.to_owned(),
        tenant: "default".into(),
        action: None,
        configuration: None,
        handler: None,
        status: Status::Succeeded,
        message: String::new(),
        output: Some(Output::Text(vec![id.to_owned()])),
        error: None,
        usage: None,
        attempts: vec![],
        timing,
        metadata: actionfleet_proto::Map::new(),
        traceparent: None,
    };
    let properties = Properties { correlation_id: Some(id.to_owned()), ..Properties::default() };
    Message { body: serde_json::to_vec(&result).unwrap().into(), properties }
}

async fn settled(broker: &FakeBroker, count: usize) {
    while broker.inner().acked.len() < count {
        tokio::task::yield_now().await;
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn each_caller_gets_its_own_result_over_one_queue() {
    let broker = FakeBroker::new();
    let producer = producer(&broker, 10);
    let (one, two, ()) = tokio::join!(
        producer.submit_and_wait(job("one"), "bulk", MINUTE),
        producer.submit_and_wait(job("two"), "bulk", MINUTE),
        async {
            let published = broker.published(2).await;
            let queue = reply_to(&published[0]);
            assert_eq!(queue, reply_to(&published[1]));
            assert!(queue.starts_with("actionfleet.replies."));
            broker.reply(&queue, result("two")).await;
            broker.reply(&queue, result("one")).await;
        }
    );
    assert_eq!(one.unwrap().output, Some(Output::Text(vec!["one".into()])));
    assert_eq!(two.unwrap().output, Some(Output::Text(vec!["two".into()])));
    settled(&broker, 2).await;
    assert_eq!(producer.reply_counts(), ReplyCounts::default());
}

#[tokio::test(start_paused = true)]
async fn a_late_reply_is_settled_and_counted() {
    let broker = FakeBroker::new();
    let producer = producer(&broker, 10);
    let error = producer.submit_and_wait(job("one"), "bulk", MINUTE).await.unwrap_err();
    assert_eq!(error, WaitError::TimedOut { id: "one".into() });

    let queue = reply_to(&broker.published(1).await[0]);
    broker.reply(&queue, result("one")).await;
    broker.reply(&queue, Message { body: "nonsense".into(), ..Message::default() }).await;
    settled(&broker, 2).await;
    assert_eq!(producer.reply_counts(), ReplyCounts { unclaimed: 1, unreadable: 1 });
}

#[tokio::test(start_paused = true)]
async fn a_timeout_wins_against_a_result_of_the_same_moment() {
    let waiters = Arc::new(Waiters::new(1));
    let waiter = waiters.register("one".into()).unwrap();
    let result = serde_json::from_slice(&result("one").body).unwrap();
    assert!(waiters.deliver("one", result));
    assert!(matches!(waiter.result(Instant::now()).await, Err(WaitError::TimedOut { .. })));
    assert_eq!(waiters.len(), 0);
}

#[tokio::test]
async fn waiters_are_bounded_unique_and_give_their_place_up() {
    let waiters = Arc::new(Waiters::new(2));
    let first = waiters.register("one".into()).unwrap();
    assert!(matches!(waiters.register("one".into()), Err(WaitError::AlreadyWaiting { .. })));
    let second = waiters.register("two".into()).unwrap();
    assert!(matches!(waiters.register("three".into()), Err(WaitError::TooManyWaiters { max: 2 })));
    drop(second);
    waiters.register("three".into()).unwrap();

    // served, its place is free; its end must not take the successor's
    assert!(waiters.deliver("one", serde_json::from_slice(&result("one").body).unwrap()));
    let successor = waiters.register("one".into()).unwrap();
    drop(first);
    assert_eq!(waiters.len(), 1);
    drop(successor);
    assert_eq!(waiters.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_timeout_holds_without_a_link_too() {
    let broker = FakeBroker::new();
    let producer = producer(&broker, 10);
    broker.set_link(LinkState::Connecting);
    let started = Instant::now();
    producer.submit_and_wait(job("one"), "bulk", Duration::from_secs(3)).await.unwrap_err();
    assert_eq!(started.elapsed().as_secs(), 3);
    assert!(broker.inner().published.is_empty());
}

#[tokio::test]
async fn what_cannot_be_waited_for_is_refused() {
    let broker = FakeBroker::new();
    let producer = producer(&broker, 10);
    let taken = Job { reply: Some(Reply::Queue { queue: "mine".into() }), ..job("one") };
    let error = producer.submit_and_wait(taken, "bulk", MINUTE).await.unwrap_err();
    assert_eq!(error, WaitError::ReplyTaken);

    broker.inner().missing.push("nowhere".into());
    let error = producer.submit_and_wait(job("one"), "nowhere", MINUTE).await.unwrap_err();
    assert!(matches!(error, WaitError::Submit(crate::SubmitError::UnknownLane { .. })));
}

#[tokio::test]
async fn a_closed_link_wakes_who_waits() {
    let broker = FakeBroker::new();
    let producer = producer(&broker, 10);
    let (waited, ()) = tokio::join!(producer.submit_and_wait(job("one"), "bulk", MINUTE), async {
        broker.published(1).await;
        broker.close().await;
    });
    assert_eq!(waited.unwrap_err(), WaitError::Closed { id: "one".into() });
}

#[tokio::test]
async fn whoever_waits_for_ever_gets_the_result() {
    let broker = FakeBroker::new();
    let config = ProducerConfig { link_timeout: Duration::MAX, ..ProducerConfig::default() };
    let producer = Producer::new(broker.port(), config);
    let (waited, ()) =
        tokio::join!(producer.submit_and_wait(job("one"), "bulk", Duration::MAX), async {
            let published = broker.published(1).await;
            broker.reply(&reply_to(&published[0]), result("one")).await;
        });
    assert_eq!(waited.unwrap().id, "one");
}
