//! The way from callers to the thread that writes.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{requests::Request, store::Millis};
use crate::{
    message::{Address, Message},
    port::PublishError,
};

#[derive(Debug)]
pub(super) struct Publish {
    pub(super) to: Address,
    pub(super) message: Message,
    /// When its publisher asked.
    pub(super) at: Millis,
    pub(super) outcome: oneshot::Sender<Result<(), PublishError>>,
    /// What bounds the messages that wait here.
    pub(super) _room: OwnedSemaphorePermit,
}

/// What must be recorded, however long it takes until it can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chore {
    Ack(i64),
    Requeue(i64),
    /// A consumer is gone.
    Leave(i64),
}

/// All that was asked for since the last time.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) publishes: Vec<Publish>,
    /// At most as many as there are unsettled deliveries.
    pub(super) chores: Vec<Chore>,
    pub(super) requests: Vec<Request>,
    /// The last batch.
    pub(super) closing: bool,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn len(&self) -> usize {
        self.publishes.len() + self.chores.len() + self.requests.len()
    }
}

#[derive(Debug, Default)]
struct State {
    batch: Batch,
    /// Fewer than these need not wake who waits.
    wanted: usize,
    /// Nothing is taken any more.
    over: bool,
}

#[derive(Debug, Default)]
pub(super) struct Inbox {
    state: Mutex<State>,
    filled: Condvar,
}

/// The thread that writes is gone.
#[derive(Debug)]
pub(super) struct Over;

impl Inbox {
    pub(super) fn publish(&self, publish: Publish) -> Result<(), Over> {
        self.push(|batch| batch.publishes.push(publish))
    }

    pub(super) fn chore(&self, chore: Chore) -> Result<(), Over> {
        self.push(|batch| batch.chores.push(chore))
    }

    pub(super) fn request(&self, request: Request) -> Result<(), Over> {
        self.push(|batch| batch.requests.push(request))
    }

    pub(super) fn close(&self) {
        let _ = self.push(|batch| batch.closing = true);
    }

    /// Takes nothing more, and drops what nobody will answer.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.over = true;
        let unanswered = std::mem::take(&mut state.batch);
        drop(state);
        drop(unanswered);
    }

    /// What there is as soon as there is anything, or nothing once `patience` is over. If there is
    /// less than is wanted, more is waited for, for as long as `linger` says. After the batch that
    /// closes, nothing is taken.
    pub(super) fn wait(&self, linger: Duration, wanted: usize, patience: Duration) -> Batch {
        let mut state = self.state();
        if wanted > 1 && !linger.is_zero() {
            state = self.wait_for(state, wanted, linger);
        }
        state = self.wait_for(state, 1, patience);
        let batch = std::mem::take(&mut state.batch);
        state.over |= batch.closing;
        batch
    }

    fn wait_for<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        wanted: usize,
        patience: Duration,
    ) -> MutexGuard<'a, State> {
        state.wanted = wanted;
        let less = |state: &mut State| state.batch.len() < wanted && !state.batch.closing;
        let outcome = self.filled.wait_timeout_while(state, patience, less);
        outcome.unwrap_or_else(PoisonError::into_inner).0
    }

    fn push(&self, put: impl FnOnce(&mut Batch)) -> Result<(), Over> {
        let mut state = self.state();
        if state.over {
            return Err(Over);
        }
        put(&mut state.batch);
        let enough = state.batch.len() >= state.wanted || state.batch.closing;
        drop(state);
        if enough {
            self.filled.notify_one();
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
