//! The port over the thread that writes.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actionfleet_proto::Topology;
use async_trait::async_trait;
use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    EmbeddedConfig,
    inbox::{Chore, Inbox, Over, Publish},
    requests::{Consume, Request},
    store::now,
    writer::Writer,
};
use crate::{
    message::{Address, Message},
    port::{
        Broker, BrokerError, Consumer, Delivery, Depth, LinkState, PublishError, Settle, Source,
        TopologyMode,
    },
};

/// KiB of messages that wait to be written: 64 MiB.
const WAITING_KIB: u32 = 64 * 1024;
/// How long the reason of a failure is waited for.
const TOLD: Duration = Duration::from_secs(1);

/// The queue in a folder. It ends when it is closed, or when the last clone, consumer and delivery
/// are gone.
#[derive(Debug, Clone)]
pub struct Embedded {
    handle: Arc<Handle>,
}

/// What callers and the writing thread share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) file: PathBuf,
    pub(super) inbox: Inbox,
    pub(super) state: watch::Sender<LinkState>,
    /// Fires when nothing can be settled any more.
    pub(super) lost: CancellationToken,
    pub(super) results_heard: AtomicBool,
    pub(super) notifications_heard: AtomicBool,
    closed: CancellationToken,
}

impl Shared {
    /// Why nobody answers.
    fn gone(&self) -> BrokerError {
        match &*self.state.borrow() {
            LinkState::Blocked(reason) => BrokerError::Link(reason.clone()),
            LinkState::Closed => BrokerError::Link(format!("{} is closed", self.file.display())),
            _ => BrokerError::Link(format!("{} could not be written", self.file.display())),
        }
    }
}

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    room: Arc<Semaphore>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.inbox.close();
    }
}

/// However the thread ends.
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        let Self(shared) = self;
        shared.inbox.end();
        shared.lost.cancel();
        shared.state.send_replace(LinkState::Closed);
        shared.closed.cancel();
    }
}

impl Embedded {
    /// Opens the folder's queue, and creates what is missing.
    ///
    /// An error of [`BrokerError::Link`] may pass; all others name what has to be changed first.
    pub async fn open(config: EmbeddedConfig) -> Result<Self, BrokerError> {
        let shared = Arc::new(Shared {
            file: config.file(),
            inbox: Inbox::default(),
            state: watch::Sender::new(LinkState::Connected),
            lost: CancellationToken::new(),
            results_heard: AtomicBool::new(true),
            notifications_heard: AtomicBool::new(true),
            closed: CancellationToken::new(),
        });
        let (opened, opening) = oneshot::channel();
        let theirs = shared.clone();
        let thread = std::thread::Builder::new().name("queue".to_owned()).spawn(move || {
            let end = End(theirs.clone());
            match Writer::open(&config, theirs) {
                Ok(writer) => {
                    if opened.send(Ok(())).is_err() {
                        end.0.inbox.close();
                    }
                    writer.run();
                }
                Err(error) => drop(opened.send(Err(error))),
            }
        });
        thread.map_err(|error| {
            BrokerError::Config(format!("no thread for the queue: {error}; raise the limit"))
        })?;
        opening.await.unwrap_or_else(|_| Err(shared.gone()))?;
        let room = usize::try_from(WAITING_KIB).unwrap_or(usize::MAX);
        Ok(Self { handle: Arc::new(Handle { shared, room: Arc::new(Semaphore::new(room)) }) })
    }

    /// Whether the folder has a queue.
    pub fn is_in(folder: &Path) -> bool {
        EmbeddedConfig::new(folder).file().is_file()
    }

    fn shared(&self) -> &Shared {
        &self.handle.shared
    }

    async fn ask<T>(
        &self,
        request: Request,
        answer: oneshot::Receiver<Result<T, BrokerError>>,
    ) -> Result<T, BrokerError> {
        let shared = self.shared();
        shared.inbox.request(request).map_err(|Over| shared.gone())?;
        if let Ok(answer) = answer.await {
            return answer;
        }
        // the reason is told right after what failed was dropped
        let told = |state: &LinkState| *state != LinkState::Connected;
        let _ = timeout(TOLD, shared.state.subscribe().wait_for(told)).await;
        Err(shared.gone())
    }
}

#[async_trait]
impl Broker for Embedded {
    async fn publish(&self, to: &Address, message: Message) -> Result<(), PublishError> {
        let shared = self.shared();
        let heard = match to {
            Address::Results { .. } => &shared.results_heard,
            Address::Notifications { .. } => &shared.notifications_heard,
            _ => &AtomicBool::new(true),
        };
        if !heard.load(Ordering::Relaxed) && !shared.closed.is_cancelled() {
            return Ok(());
        }
        let kib = u32::try_from(message.body.len() / 1024 + 1).unwrap_or(u32::MAX);
        let room = self.handle.room.clone().acquire_many_owned(kib.min(WAITING_KIB));
        let room = room.await.map_err(|_| PublishError::LinkLost)?;
        let (outcome, confirmed) = oneshot::channel();
        let publish = Publish { to: to.clone(), message, at: now(), outcome, _room: room };
        shared.inbox.publish(publish).map_err(|Over| PublishError::LinkLost)?;
        confirmed.await.unwrap_or(Err(PublishError::LinkLost))
    }

    async fn consume(&self, source: Source, prefetch: u16) -> Result<Consumer, BrokerError> {
        let (deliveries, receiver) = mpsc::channel(usize::from(prefetch.max(1)));
        let stop = CancellationToken::new();
        let settle: Arc<dyn Settle> = self.handle.clone();
        let consume = Consume { source, prefetch, deliveries, stop: stop.clone(), settle };
        let (answer, answered) = oneshot::channel();
        self.ask(Request::Consume(consume, answer), answered).await?;
        Ok(Consumer::new(receiver, stop))
    }

    async fn pull(&self, queue: &str) -> Result<Option<Delivery>, BrokerError> {
        let (answer, answered) = oneshot::channel();
        let settle: Arc<dyn Settle> = self.handle.clone();
        self.ask(Request::Pull { queue: queue.to_owned(), settle, answer }, answered).await
    }

    async fn depth(&self, queue: &str) -> Result<Depth, BrokerError> {
        let (answer, answered) = oneshot::channel();
        self.ask(Request::Depth { queue: queue.to_owned(), answer }, answered).await
    }

    async fn topology(&self, topology: &Topology, mode: TopologyMode) -> Result<(), BrokerError> {
        let (answer, answered) = oneshot::channel();
        let topology = topology.clone();
        self.ask(Request::Topology { topology, mode, answer }, answered).await
    }

    fn link(&self) -> watch::Receiver<LinkState> {
        self.shared().state.subscribe()
    }

    async fn close(&self) {
        self.shared().inbox.close();
        self.shared().closed.cancelled().await;
    }
}

/// Settling is recorded with the next commit; a crash before it means that the message comes again.
#[async_trait]
impl Settle for Handle {
    async fn ack(&self, number: u64) -> Result<(), BrokerError> {
        self.settle(number, Chore::Ack)
    }

    async fn requeue(&self, number: u64) -> Result<(), BrokerError> {
        self.settle(number, Chore::Requeue)
    }
}

impl Handle {
    fn settle(&self, number: u64, chore: fn(i64) -> Chore) -> Result<(), BrokerError> {
        let id = i64::try_from(number).map_err(|_| self.shared.gone())?;
        self.shared.inbox.chore(chore(id)).map_err(|Over| self.shared.gone())
    }
}
