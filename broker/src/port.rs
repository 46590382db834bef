//! The port: what the fleet needs of a queue, and no more than every engine can do.

use std::{fmt, sync::Arc};

use actionfleet_proto::Topology;
use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    message::{Address, Message, Properties},
    missing::Missing,
};

/// A link to a queue that repairs itself. What was under way when it broke is reported as lost,
/// and the queue delivers it again.
#[async_trait]
pub trait Broker: Send + Sync + fmt::Debug + 'static {
    /// Publishes, persistent, and waits for the broker's confirm. Without a link it fails at once.
    async fn publish(&self, to: &Address, message: Message) -> Result<(), PublishError>;

    /// Starts consuming, now and after every repair, with at most `prefetch` deliveries unsettled.
    async fn consume(&self, source: Source, prefetch: u16) -> Result<Consumer, BrokerError>;

    /// Takes the next message of a queue, if there is one.
    async fn pull(&self, queue: &str) -> Result<Option<Delivery>, BrokerError>;

    /// How full a queue is.
    async fn depth(&self, queue: &str) -> Result<Depth, BrokerError>;

    /// Creates what is missing of the topology, or only compares.
    async fn topology(&self, topology: &Topology, mode: TopologyMode) -> Result<(), BrokerError>;

    /// The state of the link, and of every change to it.
    fn link(&self) -> watch::Receiver<LinkState>;

    /// Ends the link for good; unsettled deliveries go back to their queues.
    async fn close(&self);
}

/// What can be consumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Lane(String),
    /// Every message to [`Address::Control`] from now on.
    Control,
    /// A queue of this process alone under the given name, kept for a while without it.
    Replies(String),
    /// As [`Source::Replies`], and gone with the link.
    Answers(String),
    /// A queue by its name, which must exist.
    Queue(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopologyMode {
    Declare,
    Verify,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkState {
    Connecting,
    Connected,
    /// The broker takes no publishes for now, for the reason given.
    Blocked(String),
    Closed,
}

impl LinkState {
    /// Whether deliveries come in.
    pub const fn is_up(&self) -> bool {
        matches!(self, Self::Connected | Self::Blocked(_))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Ready to be delivered.
    pub ready: u32,
    pub consumers: u32,
}

/// Why a message was not published. In every case the caller still has the only copy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// No queue is bound there. Trying again does not help.
    #[error("no queue receives it: {0}")]
    Unroutable(String),
    /// The broker said no (a queue is full or without a quorum). Trying again may help.
    #[error("the broker did not take it")]
    Refused,
    /// The link broke before the confirm: the message may or may not have arrived.
    #[error("the link to the broker is down")]
    LinkLost,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokerError {
    /// The broker could not be reached, or the link broke.
    #[error("the link to the broker is down: {0}")]
    Link(String),
    /// The credentials or the virtual host are wrong. Waiting does not help.
    #[error("the broker refuses the connection: {0}")]
    Denied(String),
    /// A queue or an exchange does not exist.
    #[error("{0}")]
    Missing(String),
    /// Exchanges and queues of a topology do not exist.
    #[error("{0}")]
    Incomplete(Missing),
    /// A queue or an exchange exists with other arguments than the fleet's.
    #[error("{0}")]
    Differs(String),
    /// The URL or a setting cannot be used.
    #[error("{0}")]
    Config(String),
}

impl BrokerError {
    /// Whether the same call may succeed later by itself.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Link(_))
    }
}

/// Deliveries of one source, over all repairs of the link. Dropping it stops consuming.
#[derive(Debug)]
pub struct Consumer {
    deliveries: mpsc::Receiver<Delivery>,
    stop: CancellationToken,
}

impl Consumer {
    pub fn new(deliveries: mpsc::Receiver<Delivery>, stop: CancellationToken) -> Self {
        Self { deliveries, stop }
    }

    /// `None` once it was stopped and all that had been delivered was taken.
    pub async fn next(&mut self) -> Option<Delivery> {
        tokio::select! {
            biased;
            delivery = self.deliveries.recv() => delivery,
            () = self.stop.cancelled() => {
                self.deliveries.close();
                self.deliveries.recv().await
            }
        }
    }

    /// Asks for no more; what is already here is still handed out.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Fires when [`Consumer::stop`] was called.
    pub fn stopper(&self) -> CancellationToken {
        self.stop.clone()
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// How an engine settles deliveries, by the number it gave them.
#[async_trait]
pub trait Settle: Send + Sync + fmt::Debug {
    /// An error means that the link is gone, and that the message comes again.
    async fn ack(&self, number: u64) -> Result<(), BrokerError>;
    /// Puts the message back in its place.
    async fn requeue(&self, number: u64) -> Result<(), BrokerError>;
}

/// One message, delivered. Neither settled nor dropped, it holds a place of the prefetch; dropped,
/// it stays unsettled until the link ends, and then comes again.
#[derive(Debug)]
pub struct Delivery {
    pub body: Bytes,
    pub properties: Properties,
    /// How often it was delivered before, as far as the broker counts.
    pub delivery_count: u64,
    lost: CancellationToken,
    settle: Arc<dyn Settle>,
    number: u64,
}

impl Delivery {
    pub fn new(
        message: Message,
        delivery_count: u64,
        lost: CancellationToken,
        settle: Arc<dyn Settle>,
        number: u64,
    ) -> Self {
        let Message { body, properties } = message;
        Self { body, properties, delivery_count, lost, settle, number }
    }

    /// Fires when the link that brought it is gone: it can no longer be settled, and comes again.
    pub fn lost(&self) -> &CancellationToken {
        &self.lost
    }

    pub async fn ack(self) -> Result<(), BrokerError> {
        self.settle.ack(self.number).await
    }

    pub async fn requeue(self) -> Result<(), BrokerError> {
        self.settle.requeue(self.number).await
    }
}
