use std::collections::VecDeque;

use actionfleet_broker::{HeaderValue, LinkState, Properties, PublishError};
use actionfleet_proto::{Code, Timestamp, headers};
use tokio::time::Instant;

use super::*;
use crate::fake::FakeBroker;

const HOW: Replay = Replay { rate: None, link_timeout: Duration::from_secs(30) };

fn letter(id: &str, code: Code, lane: &str, age: u64) -> Message {
    let failed_at = Timestamp::from_unix_seconds(Timestamp::now().unix_seconds() - age).unwrap();
    let mut properties = Properties {
        content_type: Some("application/json".into()),
        correlation_id: Some("caller-1".into()),
        reply_to: Some("answers".into()),
        timestamp: Some(1_700_000_000),
        ..Properties::default()
    };
    for (name, value) in [
        (headers::TRACEPARENT, HeaderValue::from("00-aa-bb-01")),
        (headers::CODE, code.as_str().into()),
        (headers::LANE, lane.into()),
        (headers::ATTEMPT, 5.into()),
        (headers::JOB_ID, id.into()),
        (headers::FAILED_AT, failed_at.to_string().into()),
        (headers::ACTION, "refine_text".into()),
        (headers::ERROR, "{}".into()),
        (headers::STATE, "{}".into()),
        ("x-first-death-queue", "actionfleet.jobs.bulk".into()),
    ] {
        properties.set_header(name, value);
    }
    Message { body: format!("body of {id}").into(), properties }
}

fn with(letters: impl IntoIterator<Item = Message>) -> (Arc<FakeBroker>, DeadLetters) {
    let broker = FakeBroker::new();
    let queue: VecDeque<_> = letters.into_iter().collect();
    broker.inner().queues.insert("actionfleet.dead".into(), queue);
    let dead = DeadLetters::new(broker.port(), Names::default());
    (broker, dead)
}

fn three() -> [Message; 3] {
    [
        letter("one", Code::BackendError, "bulk", 7_200),
        letter("two", Code::InvalidInput, "default", 3_700),
        letter("three", Code::BackendError, "default", 10),
    ]
}

#[tokio::test]
async fn a_scan_goes_over_what_the_filter_lets_through() {
    let all = Filter::default;
    for (filter, expected) in [
        (all(), &["one", "two", "three"][..]),
        (Filter { limit: Some(2), ..all() }, &["one", "two"]),
        (Filter { limit: Some(0), ..all() }, &[]),
        (Filter { code: Some(Code::BackendError), ..all() }, &["one", "three"]),
        (Filter { lane: Some("default".into()), ..all() }, &["two", "three"]),
        (Filter { action: Some("other".into()), ..all() }, &[]),
        (Filter { older_than: Some(Duration::from_secs(3_600)), ..all() }, &["one", "two"]),
        (Filter { job_id: Some("two".into()), ..all() }, &["two"]),
    ] {
        let (_, dead) = with(three());
        let mut scan = dead.scan(filter).await.unwrap();
        let mut seen = Vec::new();
        while let Some(letter) = scan.next().await.unwrap() {
            seen.push(letter.job_id.clone().unwrap());
        }
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn a_letter_tells_what_is_known_of_it() {
    let (_, dead) = with(three());
    let letter = dead.find("two").await.unwrap().unwrap();
    assert_eq!(letter.code, Some(Code::InvalidInput));
    assert_eq!(letter.lane.as_deref(), Some("default"));
    assert_eq!((letter.attempt, letter.action.as_deref()), (Some(5), Some("refine_text")));
    assert_eq!(&letter.body()[..], b"body of two");
    assert!(dead.find("four").await.unwrap().is_none());
}

#[tokio::test]
async fn a_replayed_job_is_as_its_producer_sent_it() {
    let (broker, dead) = with(three());
    let filter = Filter { lane: Some("bulk".into()), ..Filter::default() };
    let tally = dead.replay(filter, HOW, |_, _| {}).await.unwrap();
    assert_eq!(tally, Tally { done: 1, kept: 0 });

    let (address, message) = broker.published(1).await.remove(0);
    assert_eq!(address, Address::Lane("bulk".into()));
    assert_eq!(&message.body[..], b"body of one");
    let properties = message.properties;
    assert_eq!(properties.message_id.as_deref(), Some("one"));
    assert_eq!(properties.correlation_id.as_deref(), Some("caller-1"));
    assert_eq!(properties.reply_to.as_deref(), Some("answers"));
    assert_eq!(properties.timestamp, Some(1_700_000_000));
    assert_eq!(properties.headers, [("traceparent".into(), "00-aa-bb-01".into())]);
    assert_eq!(broker.inner().acked, [1]);
}

#[tokio::test]
async fn what_cannot_be_put_back_stays() {
    let (broker, dead) = with(three());
    broker.inner().missing.push("bulk".into());
    let mut kept = Vec::new();
    let each = |letter: &DeadLetter, settled: &Settled| {
        if let Settled::Kept(why) = settled {
            kept.push((letter.job_id.clone().unwrap(), why.clone()));
        }
    };
    let tally = dead.replay(Filter::default(), HOW, each).await.unwrap();
    assert_eq!(tally, Tally { done: 2, kept: 1 });
    assert_eq!(kept[0].0, "one");
    assert!(kept[0].1.contains("lane `bulk`: no queue"), "{kept:?}");
    assert_eq!(broker.inner().acked, [2, 3]);
}

#[tokio::test]
async fn a_letter_is_settled_only_once_its_copy_is_confirmed() {
    let (broker, dead) = with(three());
    broker.inner().faults.push_back(PublishError::LinkLost);
    let each = |_: &DeadLetter, _: &Settled| {
        let inner = broker.inner();
        assert_eq!(inner.published.len(), inner.acked.len() + 1);
    };
    dead.replay(Filter::default(), HOW, each).await.unwrap();
    broker.set_link(LinkState::Closed);
}

#[tokio::test(start_paused = true)]
async fn replays_keep_the_rate() {
    let (_, dead) = with((0..11).map(|n| letter(&n.to_string(), Code::Internal, "bulk", 1)));
    let started = Instant::now();
    let how = Replay { rate: NonZeroU32::new(2), ..HOW };
    dead.replay(Filter::default(), how, |_, _| {}).await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn a_drop_settles_what_it_tells_of() {
    let (broker, dead) = with(three());
    let filter = Filter { code: Some(Code::BackendError), ..Filter::default() };
    let mut told = Vec::new();
    let tally =
        dead.drop(filter, |letter| told.push(letter.job_id.clone().unwrap())).await.unwrap();
    assert_eq!((tally.done, told), (2, vec!["one".to_owned(), "three".to_owned()]));
    assert_eq!(broker.inner().acked, [1, 3]);
    assert!(broker.inner().published.is_empty());
}

#[tokio::test]
async fn the_lane_of_a_letter_that_the_broker_moved_is_known() {
    let mut properties = Properties::default();
    properties.set_header("x-first-death-queue", "actionfleet.jobs.bulk");
    properties.set_header("x-first-death-reason", "expired");
    let mut delayed = Properties::default();
    for (name, value) in [
        ("x-first-death-queue", "actionfleet.delay.3"),
        ("x-first-death-reason", "expired"),
        ("x-last-death-queue", "actionfleet.jobs.default"),
        ("x-last-death-reason", "delivery_limit"),
    ] {
        delayed.set_header(name, value);
    }
    let letters = [properties, delayed];
    let (_, dead) = with(letters.map(|properties| Message { body: "x".into(), properties }));
    let mut scan = dead.scan(Filter::default()).await.unwrap();
    for (lane, why) in [("bulk", "expired"), ("default", "delivery_limit")] {
        let letter = scan.next().await.unwrap().unwrap();
        assert_eq!((letter.lane.as_deref(), letter.code), (Some(lane), None));
        assert_eq!((letter.moved.as_deref(), letter.error.as_deref()), (Some(why), None));
    }
}
