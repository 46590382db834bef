//! The engines under test, and what all tests say.

use std::{sync::Arc, time::Duration};

use actionfleet_broker::{
    Address, Broker, Consumer, Delivery, Message, Properties,
    amqp::{Amqp, AmqpConfig},
    embedded::{Embedded, EmbeddedConfig},
};
use actionfleet_local::Rabbit;
use async_trait::async_trait;
use tempfile::TempDir;
use tokio::time::timeout;

const PATIENCE: Option<Duration> = Some(Duration::from_secs(20));

/// A queue of its own, to which any number of links can be opened.
#[async_trait]
pub(crate) trait Engine: Sync {
    async fn connect(&self) -> Arc<dyn Broker>;

    /// Without a topology.
    async fn connect_bare(&self) -> Arc<dyn Broker>;
}

pub(crate) struct AmqpEngine(AmqpConfig);

impl AmqpEngine {
    pub(crate) async fn fresh() -> Self {
        Self(amqp_config().await)
    }
}

#[async_trait]
impl Engine for AmqpEngine {
    async fn connect(&self) -> Arc<dyn Broker> {
        connect_amqp(&self.0).await
    }

    async fn connect_bare(&self) -> Arc<dyn Broker> {
        connect_amqp(&AmqpConfig { topology: None, ..self.0.clone() }).await
    }
}

pub(crate) async fn amqp_config() -> AmqpConfig {
    AmqpConfig::new(Rabbit::shared().await.unwrap().vhost().await.unwrap())
}

pub(crate) async fn connect_amqp(config: &AmqpConfig) -> Arc<dyn Broker> {
    Arc::new(Amqp::connect(config.clone(), PATIENCE).await.unwrap())
}

pub(crate) struct EmbeddedEngine(TempDir);

impl EmbeddedEngine {
    #[expect(clippy::unused_async, reason = "made like the other engine")]
    pub(crate) async fn fresh() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn config(&self) -> EmbeddedConfig {
        EmbeddedConfig::new(self.0.path())
    }

    pub(crate) async fn open(&self) -> Arc<dyn Broker> {
        open(self.config()).await
    }
}

pub(crate) async fn open(config: EmbeddedConfig) -> Arc<dyn Broker> {
    Arc::new(Embedded::open(config).await.unwrap())
}

#[async_trait]
impl Engine for EmbeddedEngine {
    async fn connect(&self) -> Arc<dyn Broker> {
        self.open().await
    }

    async fn connect_bare(&self) -> Arc<dyn Broker> {
        open(EmbeddedConfig { topology: None, ..self.config() }).await
    }
}

pub(crate) fn message(id: &str) -> Message {
    let properties = Properties { message_id: Some(id.to_owned()), ..Properties::default() };
    Message { body: format!("body of {id}").into(), properties }
}

pub(crate) fn lane(lane: &str) -> Address {
    Address::Lane(lane.to_owned())
}

pub(crate) async fn next(consumer: &mut Consumer) -> Delivery {
    timeout(Duration::from_secs(20), consumer.next()).await.expect("a delivery").expect("open")
}

pub(crate) async fn next_id(consumer: &mut Consumer) -> String {
    let delivery = next(consumer).await;
    let id = delivery.properties.message_id.clone().unwrap();
    delivery.ack().await.unwrap();
    id
}
