//! What callers ask for besides publishing and settling: answered after the commit.

use std::sync::Arc;

use actionfleet_proto::Topology;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{
    claim::Room,
    consumers::{Consumers, Registered, delivery},
    error::Sql,
    inbox::Chore,
    queues::Plan,
    store::{Millis, Store},
};
use crate::port::{BrokerError, Delivery, Depth, Settle, Source, TopologyMode};

/// A reply queue outlives its consumer by this much, so that no reply is lost over a restart.
const REPLIES_EXPIRE: Millis = 10 * 60 * 1000;

type Answer<T> = oneshot::Sender<Result<T, BrokerError>>;

#[derive(Debug)]
pub(super) enum Request {
    Consume(Consume, Answer<()>),
    Pull { queue: String, settle: Arc<dyn Settle>, answer: Answer<Option<Delivery>> },
    Depth { queue: String, answer: Answer<Depth> },
    Topology { topology: Topology, mode: TopologyMode, answer: Answer<()> },
}

#[derive(Debug)]
pub(super) struct Consume {
    pub(super) source: Source,
    pub(super) prefetch: u16,
    pub(super) deliveries: mpsc::Sender<Delivery>,
    pub(super) stop: CancellationToken,
    pub(super) settle: Arc<dyn Settle>,
}

/// What remains to be done once the transaction stands.
pub(super) type Then = Box<dyn FnOnce(&mut Consumers) -> Vec<Chore>>;

impl Request {
    pub(super) fn serve(
        self,
        store: &mut Store,
        lost: &CancellationToken,
        now: Millis,
    ) -> Sql<Then> {
        match self {
            Self::Consume(consume, answer) => consume.serve(store, answer, now),
            Self::Pull { queue, settle, answer } => {
                let claimed = store.claim(&queue, Room { messages: 1, bytes: 1 }, now)?;
                let lost = lost.clone();
                Ok(Box::new(move |_| {
                    let one = claimed.ok_or_else(|| missing(&queue)).map(|mut all| all.pop());
                    let id = one.as_ref().ok().and_then(Option::as_ref).map(|one| one.id);
                    let pulled = one.map(|one| one.map(|one| delivery(one, lost, settle)));
                    let back = answer.send(pulled).err().and(id);
                    back.map(Chore::Requeue).into_iter().collect()
                }))
            }
            Self::Depth { queue, answer } => {
                let depth = store.depth(&queue, now)?.ok_or_else(|| missing(&queue));
                Ok(reply(answer, depth))
            }
            Self::Topology { topology, mode, answer } => {
                let outcome = store.topology(&topology, mode, now)?;
                Ok(reply(answer, outcome))
            }
        }
    }
}

impl Consume {
    fn serve(self, store: &mut Store, answer: Answer<()>, now: Millis) -> Sql<Then> {
        let Self { source, prefetch, deliveries, stop, settle } = self;
        let queue = match source {
            Source::Lane(lane) => store.names.lane(&lane),
            Source::Queue(queue) => queue,
            Source::Replies(queue) => store.replies(queue, now)?,
            Source::Answers(queue) => store.answers(queue, now)?,
            Source::Control => store.control(now)?,
        };
        let Some(id) = store.add_consumer(&queue)? else {
            return Ok(reply(answer, Err(missing(&queue))));
        };
        let prefetch = usize::from(prefetch.max(1));
        let registered = Registered { id, queue, prefetch, deliveries, stop, settle };
        Ok(Box::new(move |consumers| {
            consumers.register(registered);
            // nobody waits for it: it is found to be over
            let _ = answer.send(Ok(()));
            Vec::new()
        }))
    }
}

impl Store {
    fn replies(&mut self, name: String, now: Millis) -> Sql<String> {
        if self.queue(&name)?.is_none() {
            let arguments = format!("{{\"x-expires\":{REPLIES_EXPIRE}}}");
            let expires = Some(REPLIES_EXPIRE);
            self.create_queue(&Plan { name: &name, arguments, expires, ..Plan::default() }, now)?;
        }
        Ok(name)
    }

    /// A queue of the given name for one consumer alone, which ends with it.
    fn answers(&mut self, name: String, now: Millis) -> Sql<String> {
        if self.queue(&name)?.is_none() {
            let owner = Some(self.session);
            let plan = Plan { name: &name, arguments: "{}".into(), owner, ..Plan::default() };
            self.create_queue(&plan, now)?;
        }
        Ok(name)
    }

    /// A queue for one consumer alone, which ends with it.
    fn control(&mut self, now: Millis) -> Sql<String> {
        let control = self.names.control();
        let session = self.session;
        let sql = "SELECT coalesce(max(id), 0) + 1 FROM queue";
        let name = format!("{control}.{session}.{}", self.number(sql, [])?);
        let plan =
            Plan { name: &name, arguments: "{}".into(), owner: Some(session), ..Plan::default() };
        self.create_queue(&plan, now)?;
        if self.exchange_kind(&control)?.is_none() {
            self.create_exchange(&control, "fanout")?;
        }
        self.bind(&control, "", &name)?;
        Ok(name)
    }
}

fn reply<T: Send + 'static>(answer: Answer<T>, value: Result<T, BrokerError>) -> Then {
    Box::new(move |_| {
        let _ = answer.send(value);
        Vec::new()
    })
}

fn missing(queue: &str) -> BrokerError {
    BrokerError::Missing(format!("there is no queue {queue:?}"))
}
