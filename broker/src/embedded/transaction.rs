//! The two transactions: one that the disk has acknowledged when it returns, for publishes, and one
//! that outlives the process but not the machine, for all that may be done again.

use std::sync::atomic::Ordering;

use super::{
    claim::Claimed,
    error::Sql,
    inbox::{Chore, Publish},
    requests::{Request, Then},
    session::DeadSession,
    store::{Millis, Store, now},
    writer::Writer,
};
use crate::port::PublishError;

/// What a transaction with chores and requests leads to.
pub(super) struct Quick {
    pub(super) then: Vec<Then>,
    pub(super) claimed: Vec<(i64, Vec<Claimed>)>,
    pub(super) dead: Vec<DeadSession>,
}

/// What a transaction with publishes leads to.
pub(super) struct Durable {
    pub(super) outcomes: Vec<Result<(), PublishError>>,
    pub(super) claimed: Vec<(i64, Vec<Claimed>)>,
}

impl Writer {
    /// After a power cut, messages may be delivered again that were acked in it. They were not
    /// promised to be gone, and no message is lost: whatever an ack follows is in an earlier
    /// transaction.
    pub(super) fn quick(&mut self, requests: Vec<Request>) -> Sql<Quick> {
        let now = now();
        let store = &mut self.store;
        store.sync(false)?;
        store.begin()?;
        store.work_off(&self.chores, now)?;
        let mut then = Vec::new();
        for request in requests {
            then.push(request.serve(store, &self.shared.lost, now)?);
        }
        let mut dead = Vec::new();
        if self.upkeep.rest(self.has_others).is_zero() {
            dead = self.upkeep.run(store, &self.session, now)?;
        }
        let more_due = store.move_due(now)?;
        let claimed = self.claim(now)?;
        // those that are registered only now are served in the next transaction
        self.more |= more_due || !then.is_empty();
        self.commit()?;
        Ok(Quick { then, claimed, dead })
    }

    pub(super) fn durable(&mut self, publishes: &[Publish]) -> Sql<Durable> {
        let now = now();
        let store = &mut self.store;
        store.sync(true)?;
        store.begin()?;
        let mut outcomes = Vec::with_capacity(publishes.len());
        for Publish { to, message, at, .. } in publishes {
            outcomes.push(store.publish(to, message, *at)?);
        }
        let claimed = self.claim(now)?;
        self.commit()?;
        Ok(Durable { outcomes, claimed })
    }

    /// For all consumers that have room.
    fn claim(&mut self, now: Millis) -> Sql<Vec<(i64, Vec<Claimed>)>> {
        let (store, mut claimed) = (&mut self.store, Vec::new());
        self.more = false;
        for (consumer, queue, room) in self.consumers.rooms() {
            let Some(some) = store.claim(&queue, room, now)? else { continue };
            let bytes: usize = some.iter().map(Claimed::bytes).sum();
            let has_room = some.len() < room.messages && bytes < room.bytes;
            self.more |=
                has_room && store.queue(&queue)?.is_some_and(|queue| queue.head < queue.tail);
            claimed.push((consumer, some));
        }
        Ok(claimed)
    }

    fn commit(&mut self) -> Sql<()> {
        let store = &mut self.store;
        let (next_due, heard) = (store.next_due()?, store.heard()?);
        let has_others = !store.others()?.is_empty();
        store.commit()?;
        self.upkeep.committed(store);
        (self.next_due, self.has_others) = (next_due, has_others);
        self.shared.results_heard.store(heard.0, Ordering::Relaxed);
        self.shared.notifications_heard.store(heard.1, Ordering::Relaxed);
        Ok(())
    }
}

impl Store {
    /// Chores alone.
    pub(super) fn record(&mut self, chores: &[Chore]) -> Sql<()> {
        self.sync(false)?;
        self.begin()?;
        self.work_off(chores, now())?;
        self.commit()
    }

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
}
