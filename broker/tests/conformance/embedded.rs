//! What the embedded engine promises besides.

use std::time::Duration;

use actionfleet_broker::{Address, BrokerError, LinkState, Source, TopologyMode};
use actionfleet_proto::{Argument, Binding, Destination, Names, Queue, Topology};
use tokio::time::{Instant, timeout};

use crate::engines::{EmbeddedEngine, lane, message, next, next_id};

fn delayed(milliseconds: u64) -> Address {
    Address::Delayed { lane: "default".into(), delay: Duration::from_millis(milliseconds) }
}

#[tokio::test]
async fn delays_are_kept_to_the_millisecond_and_none_waits_behind_another() {
    let broker = EmbeddedEngine::fresh().await.open().await;
    let mut consumer = broker.consume(Source::Lane("default".into()), 100).await.unwrap();
    broker.publish(&delayed(3_600_000), message("tomorrow")).await.unwrap();
    let delays: Vec<u64> = (1..=40).rev().map(|n| n * 25).collect();
    for delay in &delays {
        let mut message = message(&delay.to_string());
        message.body = format!("{}", now_ms()).into();
        broker.publish(&delayed(*delay), message).await.unwrap();
    }
    let mut late = Vec::new();
    for _ in &delays {
        let delivery = next(&mut consumer).await;
        let waited =
            now_ms() - std::str::from_utf8(&delivery.body).unwrap().parse::<u64>().unwrap();
        let asked: u64 = delivery.properties.message_id.clone().unwrap().parse().unwrap();
        assert!(waited >= asked, "{asked} ms came after {waited}");
        late.push(waited - asked);
        delivery.ack().await.unwrap();
    }
    late.sort_unstable();
    // half of them, since a busy machine makes some of them late
    assert!(late[late.len() / 2] < 20, "{late:?} ms late");
}

fn now_ms() -> u64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

#[tokio::test]
async fn all_goes_from_one_process_to_another() {
    let engine = EmbeddedEngine::fresh().await;
    let (one, two) = (engine.open().await, engine.open().await);
    let mut jobs = two.consume(Source::Lane("default".into()), 5).await.unwrap();
    let mut control = [
        one.consume(Source::Control, 5).await.unwrap(),
        two.consume(Source::Control, 5).await.unwrap(),
    ];
    let mut replies = one.consume(Source::Replies("mine".into()), 5).await.unwrap();
    for id in ["1", "2"] {
        one.publish(&lane("default"), message(id)).await.unwrap();
        assert_eq!(next_id(&mut jobs).await, id);
        two.publish(&Address::Queue("mine".into()), message("result")).await.unwrap();
        assert_eq!(next_id(&mut replies).await, "result");
        two.publish(&Address::Control, message("cancel")).await.unwrap();
        for consumer in &mut control {
            assert_eq!(next_id(consumer).await, "cancel");
        }
    }
    one.publish(&delayed(80), message("later")).await.unwrap();
    let consumers = one.depth(&Names::default().lane("default")).await.unwrap().consumers;
    assert_eq!(consumers, 1, "another process's consumers count");
    one.close().await;
    assert_eq!(next_id(&mut jobs).await, "later", "whoever is left moves it");
}

#[tokio::test]
async fn two_processes_share_a_lane_without_a_message_twice() {
    let engine = EmbeddedEngine::fresh().await;
    let (one, two) = (engine.open().await, engine.open().await);
    let source = || Source::Lane("default".into());
    let mut first = one.consume(source(), 3).await.unwrap();
    let mut second = two.consume(source(), 3).await.unwrap();
    let publishing = async {
        for n in 0..300 {
            let broker = if n % 2 == 0 { &one } else { &two };
            broker.publish(&lane("default"), message(&n.to_string())).await.unwrap();
        }
    };
    let (mut seen, mut shares) = (std::collections::BTreeSet::new(), [0, 0]);
    let consuming = async {
        while seen.len() < 300 {
            let (who, delivery) = tokio::select! {
                delivery = next(&mut first) => (0, delivery),
                delivery = next(&mut second) => (1, delivery),
            };
            shares[who] += 1;
            let id = delivery.properties.message_id.clone().unwrap();
            assert!(seen.insert(id.clone()), "{id} came twice");
            delivery.ack().await.unwrap();
        }
    };
    tokio::join!(publishing, consuming);
    assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
}

#[tokio::test]
async fn topics_reach_the_queues_that_a_topology_binds() {
    let engine = EmbeddedEngine::fresh().await;
    let broker = engine.open().await;
    let (names, results) =
        (Names::default(), |key: &str| Address::Results { routing_key: key.into() });
    broker.publish(&results("acme.http.ok"), message("unheard")).await.unwrap();
    let mut topology = Topology::new(&names, ["default"]);
    topology.queues.push(Queue { name: "audit".into(), arguments: [].into() });
    topology.bindings.push(Binding {
        source: names.results(),
        destination: Destination::Queue("audit".into()),
        routing_key: "acme.#".into(),
    });
    // by another process, which the first one notices
    let other = engine.open().await;
    other.topology(&topology, TopologyMode::Declare).await.unwrap();
    let mut audit = other.consume(Source::Queue("audit".into()), 5).await.unwrap();
    broker.publish(&lane("default"), message("any")).await.unwrap();
    broker.publish(&results("other.http.ok"), message("of others")).await.unwrap();
    broker.publish(&results("acme.http.ok"), message("heard")).await.unwrap();
    assert_eq!(next_id(&mut audit).await, "heard");
}

#[tokio::test]
async fn what_the_engine_cannot_do_is_refused() {
    let broker = EmbeddedEngine::fresh().await.open().await;
    let mut topology = Topology::new(&Names::default(), ["default"]);
    let arguments = [("x-max-length".to_owned(), Argument::from(3))].into();
    topology.queues.push(Queue { name: "short".into(), arguments });
    let error = broker.topology(&topology, TopologyMode::Declare).await.unwrap_err();
    assert!(
        matches!(&error, BrokerError::Config(text) if text.contains("x-max-length")),
        "{error}"
    );
    let missing = broker.consume(Source::Queue("short".into()), 1).await.unwrap_err();
    assert!(matches!(missing, BrokerError::Missing(_)), "{missing}");
}

#[tokio::test]
async fn everything_is_there_again_after_it_was_closed() {
    let engine = EmbeddedEngine::fresh().await;
    let mut body = message("large");
    body.body = vec![7; 3 << 20].into();
    {
        let broker = engine.open().await;
        broker.publish(&lane("default"), message("1")).await.unwrap();
        broker.publish(&delayed(50), message("2")).await.unwrap();
        broker.publish(&Address::Dead, message("3")).await.unwrap();
        drop(broker.consume(Source::Replies("mine".into()), 1).await.unwrap());
        broker.publish(&Address::Queue("mine".into()), body.clone()).await.unwrap();
        broker.close().await;
        assert_eq!(*broker.link().borrow(), LinkState::Closed);
        assert!(broker.publish(&lane("default"), message("4")).await.is_err());
        assert!(broker.depth("mine").await.is_err());
    }
    let broker = engine.open().await;
    let mut lane = broker.consume(Source::Lane("default".into()), 1).await.unwrap();
    assert_eq!(next_id(&mut lane).await, "1");
    assert_eq!(next_id(&mut lane).await, "2");
    let mut replies = broker.consume(Source::Replies("mine".into()), 1).await.unwrap();
    assert_eq!(next(&mut replies).await.body, body.body);
    assert_eq!(broker.depth(&Names::default().dead()).await.unwrap().ready, 1);
}

#[tokio::test]
async fn a_consumer_keeps_the_queue_open_and_its_end_closes_it() {
    let engine = EmbeddedEngine::fresh().await;
    let broker = engine.open().await;
    let mut link = broker.link();
    let mut consumer = broker.consume(Source::Lane("default".into()), 1).await.unwrap();
    broker.publish(&lane("default"), message("1")).await.unwrap();
    drop(broker);
    let held = next(&mut consumer).await;
    drop(consumer);
    assert!(timeout(Duration::from_millis(100), link.wait_for(|it| !it.is_up())).await.is_err());
    held.ack().await.unwrap();
    let closed = timeout(Duration::from_secs(10), link.wait_for(|it| *it == LinkState::Closed));
    closed.await.expect("closed").unwrap();
    assert_eq!(
        engine.open().await.depth(&Names::default().lane("default")).await.unwrap().ready,
        0
    );
}

#[tokio::test]
async fn a_lone_message_does_not_wait_for_company() {
    let broker = EmbeddedEngine::fresh().await.open().await;
    let mut consumer = broker.consume(Source::Lane("default".into()), 8).await.unwrap();
    let began = Instant::now();
    for n in 0..50 {
        broker.publish(&lane("default"), message(&n.to_string())).await.unwrap();
        assert_eq!(next_id(&mut consumer).await, n.to_string());
    }
    // a wait of 20 ms for each would be a second
    assert!(began.elapsed() < Duration::from_millis(900), "{:?}", began.elapsed());
}
