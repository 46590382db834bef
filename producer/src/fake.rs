//! A queue in memory whose link a test can cut, block and heal.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use actionfleet_broker::{
    Address, Broker, BrokerError, Consumer, Delivery, Depth, LinkState, Message, PublishError,
    Settle, Source, TopologyMode,
};
use actionfleet_proto::Topology;
use async_trait::async_trait;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

#[derive(Debug)]
pub(crate) struct FakeBroker {
    link: watch::Sender<LinkState>,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
pub(crate) struct Inner {
    /// All that was confirmed.
    pub(crate) published: Vec<(Address, Message)>,
    /// What the next publishes come to, before they succeed again.
    pub(crate) faults: VecDeque<PublishError>,
    /// Lanes without a queue.
    pub(crate) missing: Vec<String>,
    pub(crate) queues: HashMap<String, VecDeque<Message>>,
    pub(crate) acked: Vec<u64>,
    replies: HashMap<String, mpsc::Sender<Delivery>>,
    numbers: u64,
}

impl FakeBroker {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { link: watch::Sender::new(LinkState::Connected), inner: Arc::default() })
    }

    pub(crate) fn port(self: &Arc<Self>) -> Arc<dyn Broker> {
        Arc::<Self>::clone(self)
    }

    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub(crate) fn set_link(&self, state: LinkState) {
        self.link.send_replace(state);
    }

    /// Waits until so many messages were confirmed.
    pub(crate) async fn published(&self, count: usize) -> Vec<(Address, Message)> {
        while self.inner().published.len() < count {
            tokio::task::yield_now().await;
        }
        self.inner().published.clone()
    }

    /// Delivers to a reply queue.
    pub(crate) async fn reply(&self, queue: &str, message: Message) {
        let (delivery, to) = {
            let mut inner = self.inner();
            (self.delivery(&mut inner, message), inner.replies[queue].clone())
        };
        to.send(delivery).await.unwrap();
    }

    fn delivery(&self, inner: &mut Inner, message: Message) -> Delivery {
        inner.numbers += 1;
        let settle = Arc::new(FakeSettle(Arc::clone(&self.inner)));
        Delivery::new(message, 0, CancellationToken::new(), settle, inner.numbers)
    }
}

#[async_trait]
impl Broker for FakeBroker {
    async fn publish(&self, to: &Address, message: Message) -> Result<(), PublishError> {
        tokio::task::yield_now().await;
        let mut inner = self.inner();
        if let Some(fault) = inner.faults.pop_front() {
            return Err(fault);
        }
        match to {
            Address::Lane(lane) if inner.missing.contains(lane) => {
                return Err(PublishError::Unroutable(lane.clone()));
            }
            _ => inner.published.push((to.clone(), message)),
        }
        Ok(())
    }

    async fn consume(&self, source: Source, _: u16) -> Result<Consumer, BrokerError> {
        let (Source::Replies(queue) | Source::Answers(queue)) = source else {
            panic!("only replies")
        };
        let (sender, receiver) = mpsc::channel(16);
        self.inner().replies.insert(queue, sender);
        Ok(Consumer::new(receiver, CancellationToken::new()))
    }

    async fn pull(&self, queue: &str) -> Result<Option<Delivery>, BrokerError> {
        let mut inner = self.inner();
        let message = inner.queues.get_mut(queue).and_then(VecDeque::pop_front);
        Ok(message.map(|message| self.delivery(&mut inner, message)))
    }

    async fn depth(&self, queue: &str) -> Result<Depth, BrokerError> {
        let inner = self.inner();
        if inner.missing.iter().any(|lane| queue.ends_with(lane)) {
            return Err(BrokerError::Missing(queue.to_owned()));
        }
        let ready = inner.queues.get(queue).map_or(0, VecDeque::len);
        Ok(Depth { ready: u32::try_from(ready).unwrap(), consumers: 0 })
    }

    async fn topology(&self, _: &Topology, _: TopologyMode) -> Result<(), BrokerError> {
        Ok(())
    }

    fn link(&self) -> watch::Receiver<LinkState> {
        self.link.subscribe()
    }

    async fn close(&self) {
        self.set_link(LinkState::Closed);
        self.inner().replies.clear();
    }
}

#[derive(Debug)]
struct FakeSettle(Arc<Mutex<Inner>>);

#[async_trait]
impl Settle for FakeSettle {
    async fn ack(&self, number: u64) -> Result<(), BrokerError> {
        self.0.lock().unwrap().acked.push(number);
        Ok(())
    }

    async fn requeue(&self, _: u64) -> Result<(), BrokerError> {
        panic!("nothing is requeued")
    }
}
