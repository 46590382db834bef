//! A fleet inside the test's process, on a virtual host of its own.

use std::{sync::Arc, time::Duration};

use actionfleet_broker::{
    Address, Broker, Consumer, Delivery, Message, Properties, Source,
    amqp::{Amqp, AmqpConfig},
};
use actionfleet_local::Rabbit;
use actionfleet_proto::{JobResult, Names};
use actionfleet_store::Store;
use actionfleet_worker::{Fleet, FleetError, Stopped, config::WorkerConfig};
use prometheus::Registry;
use serde_json::Value;
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

use super::script::{Gate, Script};

/// What a test waits for anything before it gives up.
pub const PATIENCE: Duration = Duration::from_secs(30);

const REPLIES: &str = "test.replies";

pub struct Rig {
    pub url: String,
    pub broker: Arc<dyn Broker>,
    pub replies: Consumer,
    pub gate: Gate,
    stop: CancellationToken,
    force: CancellationToken,
    fleet: JoinHandle<Result<Stopped, FleetError>>,
}

impl Rig {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(configure: impl FnOnce(&mut WorkerConfig)) -> Self {
        let url = Rabbit::shared().await.unwrap().vhost().await.unwrap();
        Self::on(url, configure).await
    }

    /// A fleet on a virtual host that another rig uses or used.
    pub async fn on(url: String, configure: impl FnOnce(&mut WorkerConfig)) -> Self {
        Self::start_on(url, None, configure).await
    }

    /// A fleet with a store.
    pub async fn stored(store: Store, configure: impl FnOnce(&mut WorkerConfig)) -> Self {
        let url = Rabbit::shared().await.unwrap().vhost().await.unwrap();
        Self::start_on(url, Some(store), configure).await
    }

    pub async fn start_on(
        url: String,
        store: Option<Store>,
        configure: impl FnOnce(&mut WorkerConfig),
    ) -> Self {
        let mut config = WorkerConfig { grace: Duration::from_secs(10), ..WorkerConfig::default() };
        config.lanes = [("bulk".to_owned(), 8), ("default".to_owned(), 32)].into();
        configure(&mut config);
        let amqp = Amqp::connect(AmqpConfig::new(url.clone()), Some(PATIENCE)).await.unwrap();
        let broker: Arc<dyn Broker> = Arc::new(amqp);
        let replies = broker.consume(Source::Replies(REPLIES.into()), 100).await.unwrap();
        let gate = Gate::default();
        let fleet = Fleet::new(config, broker.clone(), store, Registry::new()).unwrap();
        let fleet = fleet.handler(Script { gate: gate.clone() }).unwrap();
        let (stop, force) = (CancellationToken::new(), CancellationToken::new());
        let mut working = fleet.working();
        let fleet = tokio::spawn(fleet.run(stop.clone(), force.clone()));
        let taking_jobs = working.wait_for(|working| *working);
        // one that fails at once is told of by `stopped`
        drop(timeout(PATIENCE, taking_jobs).await.expect("a fleet that works"));
        Self { url, broker, replies, gate, stop, force, fleet }
    }

    /// Puts a job on a lane as any AMQP client would, with `reply_to` and `message_id`.
    pub async fn send(&self, id: &str, job: &Value) {
        self.send_bytes(id, job.to_string().into_bytes(), |_| {}).await;
    }

    pub async fn send_bytes(&self, id: &str, body: Vec<u8>, adjust: impl FnOnce(&mut Properties)) {
        let mut properties = Properties {
            message_id: Some(id.to_owned()),
            reply_to: Some(REPLIES.to_owned()),
            ..Properties::default()
        };
        adjust(&mut properties);
        let message = Message { body: body.into(), properties };
        self.broker.publish(&Address::Lane("default".into()), message).await.unwrap();
    }

    /// The next message on the reply queue.
    pub async fn reply_delivery(&mut self) -> Delivery {
        timeout(PATIENCE, self.replies.next()).await.expect("a reply").expect("an open queue")
    }

    /// The next result on the reply queue.
    pub async fn reply(&mut self) -> JobResult {
        let delivery = self.reply_delivery().await;
        let result = serde_json::from_slice(&delivery.body).unwrap();
        delivery.ack().await.unwrap();
        result
    }

    /// Sends a job and waits for its result.
    pub async fn run(&mut self, id: &str, job: &Value) -> JobResult {
        self.send(id, job).await;
        let result = self.reply().await;
        assert_eq!(result.id, id);
        result
    }

    /// Takes a dead letter away, if there is one.
    pub async fn dead_letter(&self) -> Option<Delivery> {
        self.broker.pull(&Names::default().dead()).await.unwrap()
    }

    /// Waits for a dead letter: it is published beside the reply, not before it.
    pub async fn next_dead_letter(&self) -> Delivery {
        self.pulled(&Names::default().dead()).await
    }

    /// Takes a job away that waits on a lane whose fleet is busy.
    pub async fn take_away(&self, lane: &str) -> Delivery {
        self.pulled(&Names::default().lane(lane)).await
    }

    async fn pulled(&self, queue: &str) -> Delivery {
        let look = async {
            loop {
                if let Some(delivery) = self.broker.pull(queue).await.unwrap() {
                    return delivery;
                }
            }
        };
        timeout(PATIENCE, look).await.unwrap_or_else(|_| panic!("nothing in {queue}"))
    }

    /// A queue bound to an exchange, consumed from now on.
    pub async fn bound(&self, exchange: &str, key: &str) -> Consumer {
        use lapin::{Connection, ConnectionProperties, options::*, types::FieldTable};

        let properties = ConnectionProperties::default();
        let connection = Connection::connect(&self.url, properties).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let queue = format!("test.{exchange}");
        let durable = QueueDeclareOptions { durable: true, ..Default::default() };
        let none = FieldTable::default;
        channel.queue_declare(queue.as_str().into(), durable, none()).await.unwrap();
        let bind = QueueBindOptions::default();
        channel
            .queue_bind(queue.as_str().into(), exchange.into(), key.into(), bind, none())
            .await
            .unwrap();
        self.broker.consume(Source::Queue(queue), 100).await.unwrap()
    }

    pub fn stop_softly(&self) {
        self.stop.cancel();
    }

    pub fn stop_now(&self) {
        self.stop.cancel();
        self.force.cancel();
    }

    /// Waits for the fleet to end.
    pub async fn stopped(&mut self) -> Stopped {
        timeout(PATIENCE, &mut self.fleet).await.expect("the fleet ends").unwrap().unwrap()
    }
}
