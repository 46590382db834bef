//! What the AMQP engine does where RabbitMQ is not as it usually is. Each test has a broker of its
//! own.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod authority;

use std::{path::PathBuf, time::Duration};

use actionfleet_broker::{
    Address, Broker, BrokerError, LinkState, Message, PublishError, Source,
    amqp::{Amqp, AmqpConfig},
};
use actionfleet_local::Rabbit;
use tempfile::TempDir;
use tokio::time::timeout;

use self::authority::Authority;

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

#[tokio::test]
async fn a_message_goes_there_and_back_by_tls() {
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let authority = Authority::new();
    let rabbit = Rabbit::start_with_tls(&authority.certificate("127.0.0.1")).await.unwrap();
    let config =
        |url: String, tls_ca: Option<PathBuf>| AmqpConfig { tls_ca, ..AmqpConfig::new(url) };
    let ours = file("ours.pem", &authority.pem());
    let broker =
        Amqp::connect(config(rabbit.tls_url(), Some(ours.clone())), PATIENCE).await.unwrap();
    let sent = Message { body: "by TLS".into(), ..Message::default() };
    broker.publish(&Address::Lane("bulk".to_owned()), sent.clone()).await.unwrap();
    let mut lane = broker.consume(Source::Lane("bulk".to_owned()), 1).await.unwrap();
    let delivery = timeout(PATIENCE.unwrap(), lane.next()).await.unwrap().unwrap();
    assert_eq!(delivery.body, sent.body);
    delivery.ack().await.unwrap();

    // each is told at once, by the field to set: with patience, for ever, or it would not end
    let others = file("others.pem", &Authority::new().pem());
    let empty = file("empty.pem", "no certificate\n");
    let plain = rabbit.url().replace("amqp://", "amqps://");
    for (url, tls_ca, said) in [
        (
            rabbit.tls_url(),
            Some(others),
            "broker.tls_ca: the certificate of the broker at 127.0.0.1",
        ),
        (
            rabbit.tls_url(),
            None,
            "signed by no authority in the system's store (UnknownIssuer); name",
        ),
        (rabbit.tls_url().replace("127.0.0.1", "localhost"), Some(ours.clone()), "broker.url: the"),
        (rabbit.tls_url(), Some(empty), "empty.pem: has no certificate in PEM"),
        (rabbit.tls_url(), Some(folder.path().join("missing.pem")), "missing.pem: No such file"),
        (plain, Some(ours), "does not speak TLS"),
    ] {
        let connecting = timeout(PATIENCE.unwrap(), Amqp::connect(config(url, tls_ca), None));
        let error = connecting.await.expect(said).unwrap_err();
        assert!(matches!(error, BrokerError::Config(_)), "{said}: {error:?}");
        assert!(error.to_string().contains(said), "{said:?} is not in {error}");
    }
}
