//! Who waits for which result. A waiter lives in the map exactly as long as its handle.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actionfleet_proto::JobResult;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep_until},
};

use super::WaitError;

type Slots = HashMap<String, oneshot::Sender<JobResult>>;

#[derive(Debug)]
pub(super) struct Waiters {
    slots: Mutex<Slots>,
    max: usize,
}

impl Waiters {
    pub(super) fn new(max: usize) -> Self {
        Self { slots: Mutex::default(), max }
    }

    pub(super) fn register(self: &Arc<Self>, id: String) -> Result<Waiter, WaitError> {
        let mut slots = self.lock();
        let full = slots.len() >= self.max;
        match slots.entry(id.clone()) {
            Entry::Occupied(_) => Err(WaitError::AlreadyWaiting { id }),
            Entry::Vacant(_) if full => Err(WaitError::TooManyWaiters { max: self.max }),
            Entry::Vacant(slot) => {
                let (sender, receiver) = oneshot::channel();
                slot.insert(sender);
                Ok(Waiter { id, receiver, waiters: Arc::clone(self) })
            }
        }
    }

    /// False where nobody waits (any more).
    pub(super) fn deliver(&self, id: &str, result: JobResult) -> bool {
        let slot = self.lock().remove(id);
        slot.is_some_and(|sender| sender.send(result).is_ok())
    }

    /// Nothing comes any more.
    pub(super) fn close(&self) {
        self.lock().clear();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One caller's place; dropped, it gives the place up.
#[derive(Debug)]
pub(crate) struct Waiter {
    id: String,
    receiver: oneshot::Receiver<JobResult>,
    waiters: Arc<Waiters>,
}

impl Waiter {
    pub(crate) async fn result(mut self, deadline: Instant) -> Result<JobResult, WaitError> {
        tokio::select! {
            // a result of the same moment is late: two answers to one caller cannot both win
            biased;
            () = sleep_until(deadline) => Err(WaitError::TimedOut { id: self.id.clone() }),
            result = &mut self.receiver => {
                result.map_err(|_| WaitError::Closed { id: self.id.clone() })
            }
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.receiver.close();
        let mut slots = self.waiters.lock();
        // served, its place may be another's by now
        if slots.get(&self.id).is_some_and(oneshot::Sender::is_closed) {
            slots.remove(&self.id);
        }
    }
}
