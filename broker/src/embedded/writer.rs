//! The thread that owns the connection: takes what was asked for, does it in one transaction,
//! answers after the commit.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use actionfleet_proto::Topology;
use rusqlite::Error;

use super::{
    EmbeddedConfig,
    claim::Claimed,
    consumers::Consumers,
    engine::Shared,
    error::{Sql, explain, open_error, publish_error},
    inbox::{Batch, Chore, Publish},
    requests::{Request, Then},
    schema,
    session::{DeadSession, NoSession, Session},
    store::{Millis, Store, now},
    upkeep::Upkeep,
};
use crate::port::{BrokerError, LinkState, PublishError};

/// How often one looks whether another process wrote, while somebody waits for messages.
const LOOK: Duration = Duration::from_millis(20);
/// How often a full disk is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(super) struct Writer {
    store: Store,
    session: Session,
    consumers: Consumers,
    shared: Arc<Shared>,
    /// Not recorded yet.
    chores: Vec<Chore>,
    upkeep: Upkeep,
    next_due: Option<Millis>,
    has_others: bool,
    /// There is more to do than one transaction should hold.
    more: bool,
    blocked: bool,
}

/// A transaction that stands.
struct Done {
    outcomes: Vec<Result<(), PublishError>>,
    then: Vec<Then>,
    claimed: Vec<(i64, Vec<Claimed>)>,
    dead: Vec<DeadSession>,
}

impl Writer {
    pub(super) fn open(config: &EmbeddedConfig, shared: Arc<Shared>) -> Result<Self, BrokerError> {
        let connection = schema::open(config)?;
        let mut store = Store::new(connection, config.names.clone());
        let session = begin(&mut store, config)?;
        Ok(Self {
            consumers: Consumers::new(shared.lost.clone()),
            store,
            session,
            shared,
            chores: Vec::new(),
            upkeep: Upkeep::new(),
            next_due: None,
            has_others: false,
            more: true,
            blocked: false,
        })
    }

    /// Until the last handle is gone or the queue is closed.
    pub(super) fn run(mut self) {
        loop {
            let batch = self.shared.inbox.wait(self.patience());
            let closing = batch.closing;
            self.turn(batch);
            if closing {
                break;
            }
        }
        self.end();
    }

    fn patience(&self) -> Duration {
        if self.blocked {
            return TRY_AGAIN;
        }
        if self.more || !self.chores.is_empty() {
            return Duration::ZERO;
        }
        let mut patience = self.upkeep.rest(self.has_others);
        if self.consumers.wait() {
            patience = patience.min(LOOK);
        }
        match self.next_due {
            Some(due) => patience.min(until(due)),
            None => patience,
        }
    }

    fn turn(&mut self, mut batch: Batch) {
        for chore in &batch.chores {
            if let Chore::Ack(message) | Chore::Requeue(message) = chore {
                self.consumers.settled(*message);
            }
        }
        self.chores.append(&mut batch.chores);
        self.chores.append(&mut self.consumers.leaving());
        if self.blocked && batch.is_empty() {
            self.try_again();
        }
        let resting = !self.upkeep.rest(self.has_others).is_zero();
        let nothing_due = self.next_due.is_none_or(|due| !until(due).is_zero());
        let nothing_asked = batch.is_empty() && self.chores.is_empty() && !self.more;
        if nothing_asked && resting && nothing_due && !self.store.is_stale() {
            return;
        }
        let Batch { publishes, requests, .. } = batch;
        match self.transact(&publishes, requests) {
            Ok(done) => self.answer(publishes, done),
            Err(error) => self.fail(publishes, &error),
        }
        if !resting && !self.blocked {
            self.upkeep.shrink(&self.store);
        }
    }

    fn transact(&mut self, publishes: &[Publish], requests: Vec<Request>) -> Sql<Done> {
        let now = now();
        let store = &mut self.store;
        store.begin()?;
        store.work_off(&self.chores, now)?;
        let mut outcomes = Vec::with_capacity(publishes.len());
        for Publish { to, message, at, .. } in publishes {
            outcomes.push(store.publish(to, message, *at)?);
        }
        let mut then = Vec::new();
        for request in requests {
            then.push(request.serve(store, &self.shared.lost, now)?);
        }
        let mut dead = Vec::new();
        if self.upkeep.rest(self.has_others).is_zero() {
            dead = self.upkeep.run(store, &self.session, now)?;
        }
        // those that are registered only now are served in the next transaction
        let mut more = store.move_due(now)? || !then.is_empty();
        let mut claimed = Vec::new();
        for (consumer, queue, room) in self.consumers.rooms() {
            let Some(some) = store.claim(&queue, room, now)? else { continue };
            let bytes: usize = some.iter().map(Claimed::bytes).sum();
            let has_room = some.len() < room.messages && bytes < room.bytes;
            more |= has_room && store.queue(&queue)?.is_some_and(|queue| queue.head < queue.tail);
            claimed.push((consumer, some));
        }
        let (next_due, heard) = (store.next_due()?, store.heard()?);
        let has_others = !store.others()?.is_empty();
        store.commit()?;
        self.upkeep.committed(&self.store);
        (self.next_due, self.has_others, self.more) = (next_due, has_others, more);
        self.shared.results_heard.store(heard.0, Ordering::Relaxed);
        self.shared.notifications_heard.store(heard.1, Ordering::Relaxed);
        Ok(Done { outcomes, then, claimed, dead })
    }

    fn answer(&mut self, publishes: Vec<Publish>, done: Done) {
        self.chores.clear();
        for (publish, outcome) in publishes.into_iter().zip(done.outcomes) {
            if outcome.is_ok() && self.blocked {
                self.mended();
            }
            // a caller that no longer waits has given the message up
            let _ = publish.outcome.send(outcome);
        }
        for then in done.then {
            let mut back = then(&mut self.consumers);
            self.chores.append(&mut back);
        }
        for (consumer, claimed) in done.claimed {
            let mut back = self.consumers.deliver(consumer, claimed);
            self.chores.append(&mut back);
        }
        done.dead.into_iter().for_each(DeadSession::end);
    }

    /// Nothing of the transaction stands. What must be recorded is tried alone.
    fn fail(&mut self, publishes: Vec<Publish>, error: &Error) {
        self.store.roll_back();
        self.more = false;
        let outcome = publish_error(error);
        for publish in publishes {
            let _ = publish.outcome.send(Err(outcome.clone()));
        }
        let reason = explain(error, &self.shared.file);
        if !self.blocked {
            tracing::error!(%reason, "the queue takes no publishes for now");
        }
        self.blocked = true;
        let blocked = LinkState::Blocked(reason);
        self.shared.state.send_if_modified(|state| {
            let differs = *state != blocked;
            *state = blocked;
            differs
        });
        if let Err(error) = self.record() {
            tracing::debug!(%error, "settling waits as well");
        }
    }

    fn record(&mut self) -> Sql<()> {
        if self.chores.is_empty() {
            return Ok(());
        }
        let recorded = self.store.record(&self.chores);
        match recorded {
            Ok(()) => self.chores.clear(),
            Err(_) => self.store.roll_back(),
        }
        recorded
    }

    fn try_again(&mut self) {
        match self.store.probe() {
            Ok(()) => self.mended(),
            Err(_) => self.store.roll_back(),
        }
    }

    fn mended(&mut self) {
        tracing::info!("the queue takes publishes again");
        self.blocked = false;
        self.more = true;
        self.shared.state.send_replace(LinkState::Connected);
    }

    /// What is unsettled goes back, and the session ends. If that fails, the next process to look
    /// does it.
    fn end(mut self) {
        let _ = self.record();
        self.shared.lost.cancel();
        let store = &mut self.store;
        let mut leave = || {
            store.begin()?;
            store.end_session(store.session, now())?;
            store.commit()
        };
        match leave() {
            Ok(()) => {
                self.session.end();
                self.store.empty_log();
            }
            Err(error) => {
                self.store.roll_back();
                let reason = explain(&error, &self.shared.file);
                tracing::warn!(%reason, "the queue could not be left in good order");
            }
        }
    }
}

/// Sees to the topology, and makes this process known.
fn begin(store: &mut Store, config: &EmbeddedConfig) -> Result<Session, BrokerError> {
    let file = config.file();
    let failed = |error: Error| open_error(&error, &file);
    store.begin().map_err(failed)?;
    let now = now();
    if let Some(mode) = config.topology {
        let topology = Topology::new(&config.names, config.lanes.iter().map(String::as_str));
        store.topology(&topology, mode, now).map_err(failed)??;
    }
    let session = Session::begin(store, &config.folder, now).map_err(|error| match error {
        NoSession::Sql(error) => failed(error),
        NoSession::Lock(lock, why) => BrokerError::Config(format!(
            "{} cannot be locked: {why}; stop that process, or choose another folder, on a local \
             disk and writable for this user",
            lock.display()
        )),
    })?;
    store.commit().map_err(failed)?;
    Ok(session)
}

fn until(due: Millis) -> Duration {
    Duration::from_millis(u64::try_from(due - now()).unwrap_or(0))
}

impl Store {
    fn work_off(&mut self, chores: &[Chore], now: Millis) -> Sql<()> {
        for chore in chores {
            match chore {
                Chore::Ack(message) => self.ack(*message)?,
                Chore::Requeue(message) => self.requeue(*message)?,
                Chore::Leave(consumer) => self.remove_consumer(*consumer, now)?,
            }
        }
        Ok(())
    }

    fn record(&mut self, chores: &[Chore]) -> Sql<()> {
        self.begin()?;
        self.work_off(chores, now())?;
        self.commit()
    }
}
