//! What every engine of the port promises.

use std::time::Duration;

use actionfleet_broker::{
    Address, Broker, BrokerError, Consumer, PublishError, Source, TopologyMode,
};
use actionfleet_proto::{Names, Topology};
use tokio::time::{Instant, timeout};

use crate::engines::{Engine, lane, message, next, next_id};

pub(crate) async fn published_is_delivered_with_its_properties_and_acked_once(engine: &dyn Engine) {
    let broker = engine.connect().await;
    let mut sent = message("a");
    sent.properties.correlation_id = Some("c".into());
    sent.properties.set_header("traceparent", "00-1");
    broker.publish(&lane("default"), sent.clone()).await.unwrap();
    let mut consumer = broker.consume(Source::Lane("default".into()), 10).await.unwrap();
    let delivery = next(&mut consumer).await;
    assert_eq!((&delivery.body, &delivery.properties), (&sent.body, &sent.properties));
    assert_eq!(delivery.delivery_count, 0);
    delivery.ack().await.unwrap();
    broker.publish(&lane("default"), message("b")).await.unwrap();
    assert_eq!(next_id(&mut consumer).await, "b");
}

pub(crate) async fn prefetch_bounds_what_is_unsettled(engine: &dyn Engine) {
    let broker = engine.connect().await;
    for n in 0..5 {
        broker.publish(&lane("bulk"), message(&n.to_string())).await.unwrap();
    }
    let mut consumer = broker.consume(Source::Lane("bulk".into()), 2).await.unwrap();
    let (first, second) = (next(&mut consumer).await, next(&mut consumer).await);
    assert!(timeout(Duration::from_millis(200), consumer.next()).await.is_err());
    first.ack().await.unwrap();
    let third = next(&mut consumer).await;
    assert_eq!(third.properties.message_id.as_deref(), Some("2"));
    second.requeue().await.unwrap();
    assert_eq!(next(&mut consumer).await.properties.message_id.as_deref(), Some("1"));
}

pub(crate) async fn what_is_unsettled_comes_again_and_is_counted(engine: &dyn Engine) {
    let first = engine.connect().await;
    first.publish(&lane("default"), message("x")).await.unwrap();
    for expected in 0..3 {
        let broker = engine.connect().await;
        let mut consumer = broker.consume(Source::Lane("default".into()), 1).await.unwrap();
        let delivery = next(&mut consumer).await;
        assert_eq!(delivery.delivery_count, expected);
        let lost = delivery.lost().clone();
        broker.close().await;
        assert!(lost.is_cancelled());
        assert!(delivery.ack().await.is_err());
    }
}

pub(crate) async fn what_reaches_no_queue_is_an_error_where_it_must_arrive(engine: &dyn Engine) {
    let broker = engine.connect().await;
    let exchange = |name: &str| Address::Exchange {
        exchange: name.into(),
        routing_key: "nobody.listens".into(),
    };
    for to in [
        lane("no-such-lane"),
        Address::Queue("actionfleet.jobs.bulk".into()),
        exchange("actionfleet.delay.0"),
        Address::Queue("gone".into()),
        Address::Queue("x".repeat(300)),
        exchange("actionfleet.results"),
        exchange("no-such-exchange"),
    ] {
        let outcome = broker.publish(&to, message("x")).await;
        assert!(matches!(outcome, Err(PublishError::Unroutable(_))), "{to:?}: {outcome:?}");
    }
    let results = Address::Results { routing_key: "a.b.c".into() };
    assert_eq!(broker.publish(&results, message("x")).await, Ok(()));
    assert_eq!(broker.publish(&lane("default"), message("x")).await, Ok(()), "still works");
}

pub(crate) async fn a_return_is_told_to_the_publish_that_it_belongs_to(engine: &dyn Engine) {
    let broker = engine.connect().await;
    let publishes = (0..400).map(|n| {
        let broker = broker.clone();
        tokio::spawn(async move {
            let routable = n % 3 != 0;
            let to = if routable { lane("bulk") } else { Address::Queue("gone".into()) };
            let outcome = broker.publish(&to, message(&n.to_string())).await;
            assert_eq!(outcome.is_ok(), routable, "{n}: {outcome:?}");
        })
    });
    for publish in publishes.collect::<Vec<_>>() {
        publish.await.unwrap();
    }
}

/// A busy machine may be late now and then, an engine that is right never three times.
pub(crate) async fn delayed_messages_arrive_when_asked(engine: &dyn Engine) {
    let broker = engine.connect().await;
    let mut consumer = broker.consume(Source::Lane("bulk".into()), 10).await.unwrap();
    let mut late = Vec::new();
    for _ in 0..3 {
        match delays(&*broker, &mut consumer).await {
            Ok(()) => return,
            Err(problem) => late.push(problem),
        }
    }
    panic!("{late:#?}");
}

/// Which of three came late, if one did.
async fn delays(broker: &dyn Broker, consumer: &mut Consumer) -> Result<(), String> {
    let start = Instant::now();
    for seconds in [3, 1, 2] {
        let delay = Duration::from_secs(seconds);
        let to = Address::Delayed { lane: "bulk".into(), delay };
        broker.publish(&to, message(&seconds.to_string())).await.unwrap();
    }
    let mut arrived = Vec::new();
    for _ in 0..3 {
        let seconds: f64 = next_id(consumer).await.parse().unwrap();
        let error = start.elapsed().as_secs_f64() - seconds;
        assert!(error > -0.1, "{seconds} s came {error} s early");
        arrived.push((seconds, error));
    }
    let in_order = arrived.is_sorted_by(|(one, _), (next, _)| one < next);
    let on_time = arrived.iter().all(|(_, error)| *error < 0.9);
    if in_order && on_time { Ok(()) } else { Err(format!("seconds and errors: {arrived:?}")) }
}

pub(crate) async fn control_reaches_every_subscriber(engine: &dyn Engine) {
    let broker = engine.connect().await;
    let mut one = broker.consume(Source::Control, 10).await.unwrap();
    let mut two = broker.consume(Source::Control, 10).await.unwrap();
    broker.publish(&Address::Control, message("cancel")).await.unwrap();
    assert_eq!(next_id(&mut one).await, "cancel");
    assert_eq!(next_id(&mut two).await, "cancel");
}

pub(crate) async fn a_queue_for_answers_goes_with_its_link(engine: &dyn Engine) {
    let (asking, answering) = (engine.connect().await, engine.connect().await);
    let mut answers = asking.consume(Source::Answers("answers".into()), 10).await.unwrap();
    answering.publish(&Address::Queue("answers".into()), message("a")).await.unwrap();
    assert_eq!(next_id(&mut answers).await, "a");
    asking.close().await;
    let gone = answering.depth("answers").await.unwrap_err();
    assert!(matches!(gone, BrokerError::Missing(_)), "{gone:?}");
}

pub(crate) async fn a_stopped_consumer_leaves_the_rest_to_others(engine: &dyn Engine) {
    let broker = engine.connect().await;
    let mut first = broker.consume(Source::Lane("default".into()), 5).await.unwrap();
    broker.publish(&lane("default"), message("1")).await.unwrap();
    let held = next(&mut first).await;
    first.stop();
    broker.publish(&lane("default"), message("2")).await.unwrap();
    let mut second = broker.consume(Source::Lane("default".into()), 5).await.unwrap();
    assert_eq!(next_id(&mut second).await, "2");
    held.ack().await.unwrap();
    assert!(first.next().await.is_none(), "delivered after the stop");
}

pub(crate) async fn pulled_messages_come_back_until_they_are_acked(engine: &dyn Engine) {
    let broker = engine.connect().await;
    for id in ["1", "2"] {
        broker.publish(&Address::Dead, message(id)).await.unwrap();
    }
    let dead = Names::default().dead();
    let mut looking = engine.connect().await;
    let pulled = [looking.pull(&dead).await.unwrap(), looking.pull(&dead).await.unwrap()];
    assert!(pulled.iter().all(Option::is_some));
    assert!(looking.pull(&dead).await.unwrap().is_none());
    for _ in 0..3 {
        looking.close().await;
        assert_eq!(broker.depth(&dead).await.unwrap().ready, 2, "as soon as the link is closed");
        looking = engine.connect().await;
        let pulled = looking.pull(&dead).await.unwrap();
        assert!(pulled.is_some());
    }
    looking.close().await;
    let mut consumer = broker.consume(Source::Queue(dead.clone()), 5).await.unwrap();
    // an order does not outlive a look
    let mut ids = [next_id(&mut consumer).await, next_id(&mut consumer).await];
    ids.sort_unstable();
    assert_eq!(ids, ["1", "2"]);
    assert_eq!(broker.depth(&dead).await.unwrap().consumers, 1);
}

pub(crate) async fn verifying_names_what_is_missing_and_what_differs(engine: &dyn Engine) {
    let (broker, names) = (engine.connect_bare().await, Names::default());
    let topology = Topology::new(&names, ["default", "bulk"]);
    let verify = || broker.topology(&topology, TopologyMode::Verify);
    let BrokerError::Incomplete(missing) = verify().await.unwrap_err() else { panic!("missing") };
    // the delay ladder is an engine's own affair
    assert!(missing.exchanges.contains(&names.jobs()), "{missing}");
    for queue in [names.lane("bulk"), names.lane("default"), names.dead()] {
        assert!(missing.queues.contains(&queue), "{queue}: {missing}");
    }
    let mut other = topology.clone();
    other.queues.iter_mut().for_each(|queue| {
        if queue.name == names.lane("bulk") {
            queue.arguments.insert("x-delivery-limit".into(), 7.into());
        }
    });
    broker.topology(&other, TopologyMode::Declare).await.unwrap();
    for mode in [TopologyMode::Verify, TopologyMode::Declare] {
        let error = broker.topology(&topology, mode).await.unwrap_err();
        let BrokerError::Differs(text) = error else { panic!("{error:?}") };
        assert!(
            text.contains("actionfleet.jobs.bulk") && text.contains("x-delivery-limit"),
            "{text}"
        );
    }
    broker.topology(&other, TopologyMode::Verify).await.unwrap();
}

pub(crate) async fn what_the_broker_moved_says_where_it_comes_from(engine: &dyn Engine) {
    let broker = engine.connect().await;
    let mut expiring = message("e");
    expiring.properties.expiration = Some("1".into());
    broker.publish(&lane("bulk"), expiring).await.unwrap();
    let mut dead = broker.consume(Source::Queue(Names::default().dead()), 1).await.unwrap();
    let letter = next(&mut dead).await;
    let from = letter.properties.text_header("x-first-death-queue");
    assert_eq!(from, Some("actionfleet.jobs.bulk"));
}
