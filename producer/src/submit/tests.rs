use std::time::Duration;

use actionfleet_broker::{LinkState, PublishError};
use actionfleet_proto::{DELAY_MAX, Input, Span, Timestamp, headers};
use futures::{StreamExt, stream};

use super::*;
use crate::{Producer, fake::FakeBroker};

fn producer(broker: &Arc<FakeBroker>, config: ProducerConfig) -> Producer {
    Producer::new(broker.port(), config)
}

fn job() -> Job {
    Job::new("refine_text", Input::text("x"))
}

#[tokio::test]
async fn a_job_gets_an_id_and_its_properties() {
    let broker = FakeBroker::new();
    let id = producer(&broker, ProducerConfig::default()).submit(&job(), "bulk").await.unwrap();

    let (address, message) = broker.published(1).await.remove(0);
    assert_eq!(address, Address::Lane("bulk".into()));
    assert_eq!(Job::from_slice(&message.body).unwrap().id.as_ref(), Some(&id));
    let properties = message.properties;
    assert_eq!(properties.message_id.as_ref(), Some(&id));
    assert_eq!(properties.correlation_id.as_ref(), Some(&id));
    assert_eq!(properties.content_type.as_deref(), Some("application/json"));
    assert_eq!(properties.app_id.as_deref(), Some("actionfleet"));
    let enqueued_at = properties.text_header(headers::ENQUEUED_AT).unwrap();
    let enqueued_at: Timestamp = enqueued_at.parse().unwrap();
    assert_eq!(properties.timestamp, Some(enqueued_at.unix_seconds()));
    assert!(Timestamp::now().since(enqueued_at) < Duration::from_secs(60));
}

#[tokio::test]
async fn a_known_wait_starts_in_the_broker() {
    let secs = Duration::from_secs;
    for (wait, expected) in [
        (None, None),
        (Some(Duration::from_millis(999)), None),
        (Some(secs(5)), Some(secs(5))),
        (Some(secs(1_000_000)), Some(DELAY_MAX)),
    ] {
        let broker = FakeBroker::new();
        let delayed = Job { delay: wait.map(Span), ..job() };
        producer(&broker, ProducerConfig::default()).submit(&delayed, "bulk").await.unwrap();
        let (address, message) = broker.published(1).await.remove(0);
        match expected {
            None => assert_eq!(address, Address::Lane("bulk".into())),
            Some(delay) => assert_eq!(address, Address::Delayed { lane: "bulk".into(), delay }),
        }
        assert_eq!(Job::from_slice(&message.body).unwrap().delay, delayed.delay);
    }
}

#[tokio::test]
async fn a_start_in_the_past_is_no_wait() {
    let broker = FakeBroker::new();
    let late = Job { not_before: Timestamp::from_unix_seconds(1), ..job() };
    producer(&broker, ProducerConfig::default()).submit(&late, "bulk").await.unwrap();
    assert_eq!(broker.published(1).await[0].0, Address::Lane("bulk".into()));
}

#[tokio::test]
async fn what_cannot_be_queued_is_named() {
    let broker = FakeBroker::new();
    broker.inner().missing.push("nowhere".into());
    let producer =
        producer(&broker, ProducerConfig { job_bytes: 150, ..ProducerConfig::default() });
    let big = Job::new("a", Input::text("x".repeat(150)));
    let bad = Job { timeout: Some(Span(Duration::ZERO)), ..job() };
    let delayed = Job { delay: Some(Span(Duration::from_secs(5))), ..job() };
    for (job, lane, problem) in [
        (&job(), "no lane", "lane \"no lane\""),
        (&job(), "nowhere", "lane `nowhere`: no queue"),
        (&delayed, "nowhere", "lane `nowhere`: no queue"),
        (&bad, "bulk", "timeout: must be longer"),
        (&big, "bulk", "at most 150"),
    ] {
        let error = producer.submit(job, lane).await.unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
        assert!(!error.is_temporary());
    }
    assert!(broker.inner().published.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_not_confirmed_is_sent_again_under_the_same_id() {
    let broker = FakeBroker::new();
    broker.inner().faults.extend([PublishError::LinkLost, PublishError::Refused]);
    let id = producer(&broker, ProducerConfig::default()).submit(&job(), "bulk").await.unwrap();
    let published = broker.published(1).await;
    assert_eq!(published.len(), 1);
    assert_eq!(published[0].1.properties.message_id, Some(id));
}

#[tokio::test(start_paused = true)]
async fn a_job_waits_for_the_link_until_its_deadline() {
    let broker = FakeBroker::new();
    let producer = producer(&broker, ProducerConfig::default());
    broker.set_link(LinkState::Connecting);
    let error = producer.submit(&job(), "bulk").await.unwrap_err();
    assert!(matches!(error, SubmitError::NoLink { .. }), "{error}");

    broker.set_link(LinkState::Blocked("disk".into()));
    let job = job();
    let (submitted, ()) = tokio::join!(producer.submit(&job, "bulk"), async {
        tokio::time::sleep(Duration::from_secs(29)).await;
        assert!(broker.inner().published.is_empty());
        broker.set_link(LinkState::Connected);
    });
    submitted.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_deadline_tells_what_it_knows() {
    type Is = fn(&SubmitError) -> bool;
    let cases: [(PublishError, Is); 2] = [
        (PublishError::Refused, |error| matches!(error, SubmitError::Refused { .. })),
        (PublishError::LinkLost, |error| matches!(error, SubmitError::Unconfirmed { .. })),
    ];
    for (fault, expected) in cases {
        let broker = FakeBroker::new();
        broker.inner().faults.extend(std::iter::repeat_n(fault, 1_000));
        // between two tries, so that none is on its way
        let link_timeout = Duration::from_millis(29_950);
        let producer =
            producer(&broker, ProducerConfig { link_timeout, ..ProducerConfig::default() });
        let error = producer.submit(&job(), "bulk").await.unwrap_err();
        assert!(expected(&error) && error.is_temporary(), "{error}");
    }
}

#[tokio::test]
async fn many_are_on_their_way_at_once_and_bounded() {
    let broker = FakeBroker::new();
    let producer = producer(&broker, ProducerConfig { window: 10, ..ProducerConfig::default() });
    broker.set_link(LinkState::Connecting);
    let taken = std::cell::Cell::new(0);
    let jobs = stream::iter(0..100u32).map(|n| {
        taken.set(n + 1);
        let text = if n == 50 { Input::Text(vec![]) } else { Input::text("x") };
        (n, Job { timeout: (n == 50).then_some(Span(Duration::ZERO)), ..Job::new("a", text) })
    });
    let mut outcomes = Box::pin(producer.submit_many("bulk", jobs));

    assert!(futures::poll!(outcomes.next()).is_pending());
    assert_eq!(taken.get(), 10);

    broker.set_link(LinkState::Connected);
    let mut marks: Vec<u32> = Vec::new();
    while let Some((mark, outcome)) = outcomes.next().await {
        assert_eq!(outcome.is_err(), mark == 50);
        marks.push(mark);
    }
    marks.sort_unstable();
    assert_eq!(marks, (0..100).collect::<Vec<_>>());
    assert_eq!(broker.inner().published.len(), 99);
}

#[tokio::test]
async fn the_window_is_bounded_in_bytes_too() {
    let broker = FakeBroker::new();
    let config = ProducerConfig { window_bytes: 1_000, ..ProducerConfig::default() };
    let producer = producer(&broker, config);
    broker.set_link(LinkState::Connecting);
    let taken = std::cell::Cell::new(0);
    let jobs = stream::iter(0..20u32).map(|n| {
        taken.set(n + 1);
        // the last is larger than the whole budget, and goes alone
        let size = if n == 19 { 5_000 } else { 250 };
        (n, Job::new("a", Input::text("x".repeat(size))))
    });
    let mut outcomes = Box::pin(producer.submit_many("bulk", jobs));
    assert!(futures::poll!(outcomes.next()).is_pending());
    assert_eq!(taken.get(), 4);
    broker.set_link(LinkState::Connected);
    assert_eq!(outcomes.count().await, 20);
}

#[tokio::test]
async fn a_cancellation_goes_to_every_worker() {
    let broker = FakeBroker::new();
    let producer = producer(&broker, ProducerConfig::default());
    producer.cancel("order-17").await.unwrap();
    let (address, message) = broker.published(1).await.remove(0);
    assert_eq!(address, Address::Control);
    assert_eq!(&message.body[..], br#"{"type":"cancel","id":"order-17"}"#);
    assert!(producer.cancel("no id").await.is_err());
}
