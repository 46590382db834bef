//! Publishes over a link that may break: waits for it, and sends again what was not confirmed.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actionfleet_broker::{Address, Broker, BrokerError, LinkState, Message, PublishError};
use tokio::time::{Instant, sleep, timeout_at};

/// Before the next try, so that a broker that keeps saying no is not hammered.
const PAUSE: Duration = Duration::from_millis(100);
/// Thirty years: longer waits are as good as none, and a clock cannot be set as far as it likes.
const FOR_EVER: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// The moment after which a caller waits no longer; `Duration::MAX` is for ever.
pub(crate) fn deadline(patience: Duration) -> Instant {
    Instant::now() + patience.min(FOR_EVER)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SendError {
    Unroutable,
    NoLink,
    Refused,
    Unconfirmed,
    Closed,
}

#[derive(Debug)]
pub(crate) struct Sender {
    broker: Arc<dyn Broker>,
    /// Queues seen to exist; a lane is not deleted while it is in use.
    queues: Mutex<HashSet<String>>,
}

impl Sender {
    pub(crate) fn new(broker: Arc<dyn Broker>) -> Self {
        Self { broker, queues: Mutex::default() }
    }

    /// Returns once the broker confirmed the message, or with the reason why it did not by the
    /// deadline.
    pub(crate) async fn send(
        &self,
        to: &Address,
        message: Message,
        deadline: Instant,
    ) -> Result<(), SendError> {
        // what the deadline would have to say
        let mut late = SendError::NoLink;
        let tries = async {
            loop {
                self.connected().await?;
                let before = std::mem::replace(&mut late, SendError::Unconfirmed);
                match self.broker.publish(to, message.clone()).await {
                    Ok(()) => return Ok(()),
                    Err(PublishError::Unroutable(_)) => return Err(SendError::Unroutable),
                    Err(PublishError::LinkLost) => {}
                    // a copy sent earlier may be there all the same
                    Err(PublishError::Refused) if before == SendError::Unconfirmed => {}
                    Err(PublishError::Refused) => late = SendError::Refused,
                }
                tracing::debug!(?to, "not confirmed, sending again");
                sleep(PAUSE).await;
            }
        };
        let outcome = timeout_at(deadline, tries).await;
        outcome.unwrap_or(Err(late))
    }

    /// Fails with [`SendError::Unroutable`] where the queue does not exist.
    pub(crate) async fn find_queue(&self, queue: &str, deadline: Instant) -> Result<(), SendError> {
        if self.queues.lock().unwrap_or_else(PoisonError::into_inner).contains(queue) {
            return Ok(());
        }
        let tries = async {
            loop {
                self.connected().await?;
                match self.broker.depth(queue).await {
                    Ok(_) => return Ok(()),
                    Err(BrokerError::Missing(_)) => return Err(SendError::Unroutable),
                    Err(_) => sleep(PAUSE).await,
                }
            }
        };
        timeout_at(deadline, tries).await.unwrap_or(Err(SendError::NoLink))?;
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        queues.insert(queue.to_owned());
        Ok(())
    }

    /// Waits until the broker takes publishes.
    async fn connected(&self) -> Result<(), SendError> {
        let mut link = self.broker.link();
        let settled =
            link.wait_for(|state| matches!(state, LinkState::Connected | LinkState::Closed)).await;
        match settled.as_deref() {
            Ok(LinkState::Connected) => Ok(()),
            _ => Err(SendError::Closed),
        }
    }
}
