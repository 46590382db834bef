//! What the engine over RabbitMQ promises besides.

use std::time::Duration;

use actionfleet_broker::{
    BrokerError, LinkState, Source, TopologyMode,
    amqp::{Amqp, AmqpConfig},
};
use actionfleet_local::{Link, Rabbit};
use actionfleet_proto::{Names, Topology};
use tokio::time::timeout;

use crate::engines::{
    amqp_config as config, connect_amqp as connect, lane, message, next, next_id,
};

#[tokio::test]
async fn the_link_repairs_itself_and_consuming_goes_on() {
    let mut config = config().await;
    let link = Link::to(("127.0.0.1", Rabbit::shared().await.unwrap().port())).await.unwrap();
    let direct = connect(&config).await;
    let vhost = config.url.rsplit_once('/').unwrap().1.to_owned();
    config.url = format!("amqp://guest:guest@127.0.0.1:{}/{vhost}", link.port());
    let broker = connect(&config).await;
    let mut consumer = broker.consume(Source::Lane("default".into()), 5).await.unwrap();
    for round in 0..3 {
        let id = round.to_string();
        direct.publish(&lane("default"), message(&id)).await.unwrap();
        let held = next(&mut consumer).await;
        let mut state = broker.link();
        link.cut();
        timeout(Duration::from_secs(10), held.lost().cancelled()).await.unwrap();
        state.wait_for(LinkState::is_up).await.unwrap();
        assert_eq!(next_id(&mut consumer).await, id, "it came again");
        assert_eq!(broker.publish(&lane("bulk"), message("y")).await, Ok(()));
    }
}

#[tokio::test]
async fn all_that_is_missing_is_told_at_once() {
    let config = AmqpConfig { topology: None, ..config().await };
    let topology = Topology::new(&Names::default(), ["default", "bulk"]);
    let verified = connect(&config).await.topology(&topology, TopologyMode::Verify).await;
    let BrokerError::Incomplete(missing) = verified.unwrap_err() else { panic!("incomplete") };
    let exchanges: Vec<_> = topology.exchanges.iter().map(|it| it.name.clone()).collect();
    let queues: Vec<_> = topology.queues.iter().map(|it| it.name.clone()).collect();
    assert_eq!((missing.exchanges, missing.queues), (exchanges, queues));
}

#[tokio::test]
async fn wrong_settings_are_told_apart_from_a_broker_that_is_away() {
    let mut config = config().await;
    let connect = async |config: &AmqpConfig| {
        Amqp::connect(config.clone(), Some(Duration::from_secs(3))).await.err().unwrap()
    };
    let right = config.url.clone();
    config.url = "amqp://127.0.0.1:1/%2f".into();
    assert!(matches!(connect(&config).await, BrokerError::Link(_)));
    config.url = right.replace("guest:guest", "guest:wrong");
    let error = connect(&config).await;
    assert!(matches!(error, BrokerError::Denied(_)), "{error:?}");
    config.url = right.rsplit_once('/').unwrap().0.to_owned() + "/no-such-vhost";
    let error = connect(&config).await;
    assert!(matches!(error, BrokerError::Denied(_)), "{error:?}");
    config.url = "http://x".into();
    assert!(matches!(connect(&config).await, BrokerError::Config(_)));
}
