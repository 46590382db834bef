//! What best effort told the world without the ledger's answer: recorded once it answers again. A
//! claim without an end would hold up every later submission of its job.

use std::sync::Arc;

use actionfleet_store::{Claim, Outcome};
use tokio::sync::{
    Mutex, OwnedSemaphorePermit, Semaphore,
    mpsc::{self, Receiver, Sender},
};

/// How many outcomes are kept, and how large their results are together.
const OUTCOMES: usize = 4096;
const BYTES: usize = 64 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Owed {
    new: Sender<Entry>,
    kept: Mutex<Receiver<Entry>>,
    room: Arc<Semaphore>,
}

type Entry = (Claim, Outcome, OwnedSemaphorePermit);

impl Default for Owed {
    fn default() -> Self {
        let (new, kept) = mpsc::channel(OUTCOMES);
        Self { new, kept: Mutex::new(kept), room: Arc::new(Semaphore::new(BYTES)) }
    }
}

impl Owed {
    /// Keeps an outcome where there is room for it.
    pub(super) fn add(&self, claim: &Claim, outcome: &Outcome) {
        let size = u32::try_from(outcome.result.len()).unwrap_or(u32::MAX);
        let kept =
            self.room.clone().try_acquire_many_owned(size).is_ok_and(|room| {
                self.new.try_send((claim.clone(), outcome.clone(), room)).is_ok()
            });
        if !kept {
            tracing::warn!(job_id = claim.job_id, "the ledger will not be told of an outcome");
        }
    }

    /// The one that is owed longest.
    pub(super) async fn next(&self) -> (Claim, Outcome) {
        match self.kept.lock().await.recv().await {
            Some((claim, outcome, _)) => (claim, outcome),
            // the other end is here
            None => std::future::pending().await,
        }
    }
}
