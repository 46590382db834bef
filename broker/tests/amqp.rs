//! What the AMQP engine does where RabbitMQ is not as it usually is. Each test has a broker of its
//! own.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use actionfleet_broker::{
    Address, Broker, LinkState, Message, PublishError,
    amqp::{Amqp, AmqpConfig},
};
use actionfleet_local::Rabbit;

const PATIENCE: Option<Duration> = Some(Duration::from_secs(20));

/// A link that stands is not mended: waiting for it to be would have no end.
#[tokio::test]
async fn no_channel_for_a_producers_exchange_is_no_lost_link() {
    let rabbit = Rabbit::start().await.unwrap();
    // from now on, a connection has the channel that our own messages take, and no other
    rabbit.ctl(&["eval", "application:set_env(rabbit, channel_max, 1)."]).await.unwrap();
    let broker = Amqp::connect(AmqpConfig::new(rabbit.url()), PATIENCE).await.unwrap();
    let publish = async |exchange: &str| {
        let routing_key = "actionfleet.jobs.bulk".to_owned();
        let to = Address::Exchange { exchange: exchange.to_owned(), routing_key };
        broker.publish(&to, Message::default()).await
    };
    for exchange in ["amq.direct", ""] {
        assert_eq!(publish(exchange).await, Err(PublishError::Refused), "{exchange:?}");
    }
    let lane = Address::Lane("bulk".to_owned());
    assert_eq!(broker.publish(&lane, Message::default()).await, Ok(()));
    assert_eq!(*broker.link().borrow(), LinkState::Connected, "it stands");

    rabbit.kill().await.unwrap();
    broker.link().wait_for(|state| !state.is_up()).await.unwrap();
    assert_eq!(publish("amq.direct").await, Err(PublishError::LinkLost));
}
