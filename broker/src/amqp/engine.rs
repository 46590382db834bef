//! The supervisor: one epoch after the other, one path for every failure.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actionfleet_proto::Topology;
use async_trait::async_trait;
use tokio::{
    sync::{Mutex, mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{AmqpConfig, connection::Endpoint, epoch::Epoch, subscription::Subscription};
use crate::{
    message::{Address, Message},
    port::{
        Broker, BrokerError, Consumer, Delivery, Depth, LinkState, PublishError, Source,
        TopologyMode,
    },
};

const FIRST_WAIT: Duration = Duration::from_millis(200);
/// An epoch that lasted this long stood.
const STOOD: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The link to RabbitMQ.
#[derive(Debug, Clone)]
pub struct Amqp {
    link: Arc<Link>,
}

#[derive(Debug)]
struct Link {
    config: Arc<AmqpConfig>,
    endpoint: Endpoint,
    epoch: RwLock<Option<Arc<Epoch>>>,
    /// Also held while an epoch begins, so that no subscription falls between two.
    subscriptions: Mutex<Vec<Arc<Subscription>>>,
    state: watch::Sender<LinkState>,
    last_error: watch::Sender<Option<BrokerError>>,
    /// Whether somebody waits for the first link, and tells of what waiting cannot mend.
    awaited: AtomicBool,
    closing: CancellationToken,
    closed: CancellationToken,
}

impl Amqp {
    /// Starts the link and returns at once; it connects, and reconnects, in the background.
    pub fn start(config: AmqpConfig) -> Result<Self, BrokerError> {
        Self::launch(config, false)
    }

    fn launch(config: AmqpConfig, awaited: bool) -> Result<Self, BrokerError> {
        let endpoint = Endpoint::new(&config)?;
        let link = Arc::new(Link {
            config: Arc::new(config),
            endpoint,
            epoch: RwLock::new(None),
            subscriptions: Mutex::new(Vec::new()),
            state: watch::Sender::new(LinkState::Connecting),
            last_error: watch::Sender::new(None),
            awaited: AtomicBool::new(awaited),
            closing: CancellationToken::new(),
            closed: CancellationToken::new(),
        });
        tokio::spawn(link.clone().supervise());
        Ok(Self { link })
    }

    /// Starts the link and waits until it stands: for as long as `patience` says, for ever without.
    /// What waiting cannot mend is returned at once.
    pub async fn connect(
        config: AmqpConfig,
        patience: Option<Duration>,
    ) -> Result<Self, BrokerError> {
        let amqp = Self::launch(config, true)?;
        let waiting = tokio::time::timeout(patience.unwrap_or(Duration::MAX), amqp.stands());
        let result = waiting.await.unwrap_or_else(|_| {
            let last = amqp.link.last_error.borrow().clone();
            Err(last.unwrap_or_else(|| BrokerError::Link("no answer".into())))
        });
        match result {
            Ok(()) => {
                amqp.link.awaited.store(false, Ordering::Relaxed);
                Ok(amqp)
            }
            Err(error) => {
                amqp.close().await;
                Err(error)
            }
        }
    }

    async fn stands(&self) -> Result<(), BrokerError> {
        let (mut state, mut error) =
            (self.link.state.subscribe(), self.link.last_error.subscribe());
        loop {
            if state.borrow_and_update().is_up() {
                return Ok(());
            }
            if let Some(error) = error.borrow_and_update().clone().filter(|e| !e.is_temporary()) {
                return Err(error);
            }
            tokio::select! {
                _ = state.changed() => {}
                _ = error.changed() => {}
            }
        }
    }
}

impl Link {
    async fn supervise(self: Arc<Self>) {
        let mut wait = FIRST_WAIT;
        while !self.closing.is_cancelled() {
            let began = Instant::now();
            match self.closing.run_until_cancelled(self.live()).await {
                None => break,
                Some(Ok(cause)) => {
                    // one that breaks at once is not mended by hurrying
                    if began.elapsed() > STOOD {
                        wait = FIRST_WAIT;
                    }
                    tracing::warn!(%cause, "lost the link to the broker");
                }
                Some(Err(error)) => {
                    if error.is_temporary() || !self.awaited.load(Ordering::Relaxed) {
                        tracing::warn!(%error, "cannot link to the broker; trying again");
                    }
                    self.last_error.send_replace(Some(error));
                }
            }
            self.leave().await;
            let jittered = wait.mul_f64(0.5 + fastrand::f64() / 2.0);
            self.closing.run_until_cancelled(tokio::time::sleep(jittered)).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        self.leave().await;
        self.state.send_replace(LinkState::Closed);
        self.closed.cancel();
    }

    /// One epoch: what ended it, or why it could not begin.
    async fn live(&self) -> Result<String, BrokerError> {
        let (epoch, mut first_error) = Epoch::open(self.config.clone(), &self.endpoint).await?;
        let epoch = Arc::new(epoch);
        {
            let mut subscriptions = self.subscriptions.lock().await;
            subscriptions.retain(|subscription| !subscription.is_over());
            self.enter(epoch.clone());
            for subscription in &*subscriptions {
                epoch.subscribe(subscription.clone()).await?;
            }
        }
        epoch.watch(&self.state);
        self.state.send_replace(LinkState::Connected);
        self.last_error.send_replace(None);
        tracing::info!("linked to the broker");
        Ok(first_error.recv().await.unwrap_or_default())
    }

    fn enter(&self, epoch: Arc<Epoch>) {
        *self.epoch.write().unwrap_or_else(PoisonError::into_inner) = Some(epoch);
    }

    async fn leave(&self) {
        let epoch = self.epoch.write().unwrap_or_else(PoisonError::into_inner).take();
        self.state.send_replace(LinkState::Connecting);
        if let Some(epoch) = epoch {
            epoch.end().await;
        }
    }

    fn current(&self) -> Option<Arc<Epoch>> {
        self.epoch.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn epoch(&self) -> Result<Arc<Epoch>, BrokerError> {
        self.current().ok_or_else(|| BrokerError::Link("not connected".into()))
    }
}

#[async_trait]
impl Broker for Amqp {
    async fn publish(&self, to: &Address, message: Message) -> Result<(), PublishError> {
        let epoch = self.link.current().ok_or(PublishError::LinkLost)?;
        epoch.publish(to, message).await
    }

    async fn consume(&self, source: Source, prefetch: u16) -> Result<Consumer, BrokerError> {
        let (deliveries, receiver) = mpsc::channel(usize::from(prefetch.max(1)));
        let stop = CancellationToken::new();
        let subscription =
            Arc::new(Subscription { source, prefetch, deliveries, stop: stop.clone() });
        let mut subscriptions = self.link.subscriptions.lock().await;
        if let Some(epoch) = self.link.current() {
            // a broken link is mended by the next epoch, a wrong name is not
            match epoch.subscribe(subscription.clone()).await {
                Err(error) if !error.is_temporary() => return Err(error),
                _ => {}
            }
        }
        subscriptions.push(subscription);
        Ok(Consumer::new(receiver, stop))
    }

    async fn pull(&self, queue: &str) -> Result<Option<Delivery>, BrokerError> {
        self.link.epoch()?.pull(queue).await
    }

    async fn depth(&self, queue: &str) -> Result<Depth, BrokerError> {
        self.link.epoch()?.depth(queue).await
    }

    async fn topology(&self, topology: &Topology, mode: TopologyMode) -> Result<(), BrokerError> {
        self.link.epoch()?.ensure(topology, mode).await
    }

    fn link(&self) -> watch::Receiver<LinkState> {
        self.link.state.subscribe()
    }

    async fn close(&self) {
        self.link.closing.cancel();
        self.link.closed.cancelled().await;
    }
}
