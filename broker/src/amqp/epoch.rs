//! One life of the link: two connections, a publisher, consumers, until the first error.

use std::{sync::Arc, time::Duration};

use actionfleet_proto::Topology;
use futures::StreamExt;
use lapin::{Connection, Event};
use tokio::{
    sync::{Mutex, mpsc, watch},
    time::timeout,
};

use super::{
    AmqpConfig,
    connection::Endpoint,
    convert::{TooLong, short},
    error::{broker_error, is_channel_error},
    guest::GuestPublisher,
    life::Life,
    publisher::Publisher,
    pulling::{self, Pulling},
    subscription::Subscription,
    topology,
};
use crate::{
    message::{Address, Message},
    port::{BrokerError, Delivery, Depth, LinkState, PublishError},
};

/// Messages pulled one by one: acks are gathered as for this prefetch.
const PULLED: u16 = 256;
/// What a peer gets to answer to the end.
const GOODBYE: Duration = Duration::from_secs(2);

/// Consuming and publishing have a connection each: while the broker blocks a connection that
/// publishes, acks must still go out.
#[derive(Debug)]
pub(super) struct Epoch {
    config: Arc<AmqpConfig>,
    consuming: Connection,
    publishing: Connection,
    publisher: Publisher,
    guest: GuestPublisher,
    /// While dead letters are looked at.
    pulling: Mutex<Option<Pulling>>,
    failed: mpsc::Sender<String>,
    life: Life,
}

impl Epoch {
    /// Connects, and declares or verifies the topology. The receiver hears of the first error.
    pub(super) async fn open(
        config: Arc<AmqpConfig>,
        endpoint: &Endpoint,
    ) -> Result<(Self, mpsc::Receiver<String>), BrokerError> {
        let consuming = endpoint.open(&config.connection_name, "consuming").await?;
        let publishing = endpoint.open(&config.connection_name, "publishing").await?;
        if let Some(mode) = config.topology {
            let lanes = config.lanes.iter().map(String::as_str);
            topology::ensure(&consuming, &Topology::new(&config.names, lanes), mode).await?;
        }
        let (failed, first_error) = mpsc::channel(8);
        let publisher = Publisher::open(&publishing, config.publish_window, failed.clone())
            .await
            .map_err(|error| broker_error(&error))?;
        let epoch = Self {
            config,
            consuming,
            publishing,
            publisher,
            guest: GuestPublisher::default(),
            pulling: Mutex::new(None),
            failed,
            life: Life::default(),
        };
        Ok((epoch, first_error))
    }

    /// Reports the connections' own events until the epoch ends.
    pub(super) fn watch(&self, state: &watch::Sender<LinkState>) {
        for connection in [&self.consuming, &self.publishing] {
            let mut events = Box::pin(connection.events_listener());
            let (failed, lost, state) =
                (self.failed.clone(), self.life.lost.clone(), state.clone());
            tokio::spawn(async move {
                while let Some(Some(event)) = lost.run_until_cancelled(events.next()).await {
                    match event {
                        // a channel's own end is told to whoever uses the channel
                        Event::Error(error) if !is_channel_error(&error) => {
                            let _ = failed.try_send(format!("connection: {error}"));
                        }
                        Event::ConnectionBlocked(reason) => {
                            tracing::warn!(%reason, "the broker takes no publishes for now");
                            state.send_replace(LinkState::Blocked(reason));
                        }
                        Event::ConnectionUnblocked => {
                            tracing::info!("the broker takes publishes again");
                            state.send_replace(LinkState::Connected);
                        }
                        _ => {}
                    }
                }
            });
        }
    }

    pub(super) async fn subscribe(
        &self,
        subscription: Arc<Subscription>,
    ) -> Result<(), BrokerError> {
        let failed = self.failed.clone();
        subscription.start(&self.consuming, &self.config.names, &self.life, failed).await
    }

    pub(super) async fn publish(&self, to: &Address, message: Message) -> Result<(), PublishError> {
        match to {
            Address::Exchange { exchange, .. } => {
                let names = &self.config.names;
                // rare and large: boxed, so that the common way stays small
                Box::pin(self.guest.publish(&self.publishing, names, exchange, to, message)).await
            }
            _ => self.publisher.publish(&self.config.names, to, message).await,
        }
    }

    pub(super) async fn pull(&self, queue: &str) -> Result<Option<Delivery>, BrokerError> {
        let queue = queue_name(queue)?;
        let mut pulling = self.pulling.lock().await;
        let pulled = async {
            let open = if let Some(open) = pulling.take_if(|pulling| pulling.is_open()) {
                open
            } else {
                let channel = self.consuming.create_channel().await?;
                Pulling::new(channel.clone(), self.life.settle(channel, PULLED))
            };
            pulling.insert(open).pull(queue, &self.life.lost).await
        };
        pulled.await.map_err(|error| broker_error(&error))
    }

    pub(super) async fn depth(&self, queue: &str) -> Result<Depth, BrokerError> {
        let queue = queue_name(queue)?;
        let ask = async { pulling::depth(&self.consuming.create_channel().await?, queue).await };
        ask.await.map_err(|error| broker_error(&error))
    }

    pub(super) async fn ensure(
        &self,
        topology: &Topology,
        mode: crate::port::TopologyMode,
    ) -> Result<(), BrokerError> {
        topology::ensure(&self.consuming, topology, mode).await
    }

    /// Sends what acks still wait, tells every delivery that it is lost, and closes both
    /// connections.
    pub(super) async fn end(&self) {
        // a hung peer must not hold up the next epoch
        let _ = timeout(GOODBYE, self.life.flush()).await;
        // somebody may be in the middle of a pull
        let pulling = timeout(GOODBYE, self.pulling.lock()).await;
        if let Some(pulling) = pulling.ok().and_then(|mut pulling| pulling.take()) {
            pulling.end(&self.consuming).await;
        }
        self.life.lost.cancel();
        let goodbye = || (200, "goodbye".into());
        for connection in [&self.consuming, &self.publishing] {
            let (code, text) = goodbye();
            let closing = connection.close(code, text);
            let _ = timeout(GOODBYE, closing).await;
        }
    }
}

fn queue_name(queue: &str) -> Result<lapin::types::ShortString, BrokerError> {
    short(queue)
        .map_err(|TooLong| BrokerError::Config("a queue name has more than 255 bytes".into()))
}
