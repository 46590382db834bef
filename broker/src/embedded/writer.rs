//! The thread that owns the connection: takes what was asked for since the last commit, has it
//! done, and answers.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actionfleet_proto::Topology;
use rusqlite::Error;

use super::{
    EmbeddedConfig,
    claim::Claimed,
    consumers::Consumers,
    engine::Shared,
    error::{explain, is_damaged, open_error, publish_error},
    inbox::{Batch, Chore, Publish},
    schema,
    session::{DeadSession, NoSession, Session},
    store::{Millis, Store, now},
    transaction::{Durable, Quick},
    upkeep::Upkeep,
};
use crate::port::{BrokerError, LinkState, PublishError};

/// How often one looks whether another process wrote, while somebody waits for messages.
const LOOK: Duration = Duration::from_millis(20);
/// How often a full disk is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(250);
/// An eighth of a commit's time is spent on waiting for the acks that its answers lead to: they
/// would else wait for the whole of the next commit.
const LINGER_PART: u32 = 8;
const LONGEST_LINGER: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) store: Store,
    pub(super) session: Session,
    pub(super) consumers: Consumers,
    pub(super) shared: Arc<Shared>,
    /// Not recorded yet.
    pub(super) chores: Vec<Chore>,
    pub(super) upkeep: Upkeep,
    pub(super) next_due: Millis,
    pub(super) has_others: bool,
    /// There is more to do than one transaction should hold.
    pub(super) more: bool,
    health: Health,
    /// As many callers were answered last: most of them ask for something at once.
    wanted: usize,
    /// How long those are waited for.
    linger: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Well,
    /// The last transaction failed; the next one may not.
    Blocked,
    /// The file does not read. Trying again does not help, and writing may make it worse.
    Damaged,
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
            next_due: Millis::MAX,
            has_others: false,
            more: true,
            health: Health::Well,
            wanted: 1,
            linger: Duration::ZERO,
        })
    }

    /// Until the last handle is gone or the queue is closed.
    pub(super) fn run(mut self) {
        loop {
            let batch = self.shared.inbox.wait(self.linger, self.wanted, self.patience());
            let closing = batch.closing;
            self.turn(batch);
            if closing {
                break;
            }
        }
        self.end();
    }

    fn patience(&self) -> Duration {
        if self.health != Health::Well {
            return TRY_AGAIN;
        }
        if self.more || !self.chores.is_empty() {
            return Duration::ZERO;
        }
        let mut patience = self.upkeep.rest(self.has_others);
        if self.consumers.wait() {
            patience = patience.min(LOOK);
        }
        patience.min(until(self.next_due))
    }

    /// What need not outlast a power cut comes first, for it is quick: while the disk writes the
    /// publishes, jobs are worked on.
    fn turn(&mut self, mut batch: Batch) {
        for chore in &batch.chores {
            if let Chore::Ack(message) | Chore::Requeue(message) = chore {
                self.consumers.settled(*message);
            }
        }
        self.chores.append(&mut batch.chores);
        self.chores.append(&mut self.consumers.leaving());
        if self.health == Health::Damaged {
            refuse(batch.publishes, &PublishError::Refused);
            return;
        }
        if self.health == Health::Blocked && batch.is_empty() {
            self.try_again();
        }
        let resting = !self.upkeep.rest(self.has_others).is_zero();
        let due = until(self.next_due).is_zero();
        let asked = !self.chores.is_empty() || !batch.requests.is_empty() || self.more;
        if asked || due || !resting || self.store.is_stale() {
            match self.quick(batch.requests) {
                Ok(quick) => self.hand_out(quick),
                Err(error) => {
                    self.block(&error);
                    self.record();
                }
            }
        }
        self.wanted = 1;
        if !batch.publishes.is_empty() {
            self.write(batch.publishes);
        }
        if !resting && self.health == Health::Well {
            self.upkeep.shrink(&mut self.store);
        }
    }

    fn hand_out(&mut self, quick: Quick) {
        self.chores.clear();
        for then in quick.then {
            let mut back = then(&mut self.consumers);
            self.chores.append(&mut back);
        }
        self.deliver(quick.claimed);
        quick.dead.into_iter().for_each(DeadSession::end);
    }

    fn deliver(&mut self, claimed: Vec<(i64, Vec<Claimed>)>) {
        for (consumer, claimed) in claimed {
            let mut back = self.consumers.deliver(consumer, claimed);
            self.chores.append(&mut back);
        }
    }

    fn write(&mut self, publishes: Vec<Publish>) {
        let began = Instant::now();
        let Durable { outcomes, claimed } = match self.durable(&publishes) {
            Ok(durable) => durable,
            Err(error) => {
                self.block(&error);
                return refuse(publishes, &publish_error(&error));
            }
        };
        self.wanted = publishes.len();
        self.linger = (began.elapsed() / LINGER_PART).min(LONGEST_LINGER);
        if self.health == Health::Blocked && outcomes.iter().any(Result::is_ok) {
            self.mended();
        }
        for (publish, outcome) in publishes.into_iter().zip(outcomes) {
            // a caller that no longer waits has given the message up
            let _ = publish.outcome.send(outcome);
        }
        self.deliver(claimed);
    }

    /// Nothing of the transaction stands.
    fn block(&mut self, error: &Error) {
        self.store.roll_back();
        self.more = false;
        let reason = explain(error, &self.shared.file);
        if self.health == Health::Well {
            tracing::error!(%reason, "the queue takes no publishes for now");
        }
        self.health = if is_damaged(error) { Health::Damaged } else { Health::Blocked };
        let blocked = LinkState::Blocked(reason);
        self.shared.state.send_if_modified(|state| {
            let differs = *state != blocked;
            *state = blocked;
            differs
        });
    }

    /// What must be recorded, alone: that may fit where nothing else does.
    fn record(&mut self) {
        if self.chores.is_empty() {
            return;
        }
        match self.store.record(&self.chores) {
            Ok(()) => self.chores.clear(),
            Err(error) => {
                tracing::debug!(%error, "settling waits as well");
                self.store.roll_back();
            }
        }
    }

    fn try_again(&mut self) {
        // copied into the file, the log may leave room on the disk
        self.store.empty_log();
        match self.store.probe() {
            Ok(()) => self.mended(),
            Err(_) => self.store.roll_back(),
        }
    }

    fn mended(&mut self) {
        tracing::info!("the queue takes publishes again");
        self.health = Health::Well;
        self.more = true;
        self.shared.state.send_replace(LinkState::Connected);
    }

    /// What is unsettled goes back, and the session ends. If that fails, the next process to look
    /// does it.
    fn end(mut self) {
        self.record();
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

fn refuse(publishes: Vec<Publish>, why: &PublishError) {
    for publish in publishes {
        let _ = publish.outcome.send(Err(why.clone()));
    }
}

fn until(due: Millis) -> Duration {
    Duration::from_millis(u64::try_from(due - now()).unwrap_or(0))
}
