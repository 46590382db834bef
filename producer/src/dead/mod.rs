//! Dead letters: the jobs that the fleet gave up, kept until somebody looks.

mod filter;
mod letter;
mod scan;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use actionfleet_broker::{Address, Broker, BrokerError, Message};
use actionfleet_proto::Names;
use actionfleet_store::Ledger;
use tokio::time::{MissedTickBehavior, interval};

pub use filter::Filter;
pub use letter::DeadLetter;
pub use scan::Scan;

use crate::{
    SubmitError,
    submit::{Sender, deadline},
};

/// Why a scan of the dead letters ended early.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeadError {
    #[error("cannot read the dead letters: {0}")]
    Broker(#[from] BrokerError),
}

/// How to put jobs back.
#[derive(Debug, Clone, Copy)]
pub struct Replay {
    /// Jobs per second; `None` as fast as the broker confirms.
    pub rate: Option<NonZeroU32>,
    /// How long one job waits for a link and for its confirm.
    pub link_timeout: Duration,
}

/// What was done about one dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    Done,
    /// It stays a dead letter, for the reason given.
    Kept(String),
}

/// What was done in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub done: u64,
    pub kept: u64,
}

impl Tally {
    fn count(&mut self, settled: &Settled) {
        match settled {
            Settled::Done => self.done += 1,
            Settled::Kept(_) => self.kept += 1,
        }
    }
}

/// The queue of dead letters.
///
/// AMQP has no way to look without taking: what a scan passes by stays invisible to others until
/// the broker's link is closed, and is then back, in no certain order. Use a link of its own, and
/// close it.
#[derive(Debug)]
pub struct DeadLetters {
    broker: Arc<dyn Broker>,
    names: Names,
    sender: Sender,
    ledger: Option<Arc<dyn Ledger>>,
}

impl DeadLetters {
    pub fn new(broker: Arc<dyn Broker>, names: Names) -> Self {
        Self { sender: Sender::new(Arc::clone(&broker)), broker, names, ledger: None }
    }

    /// The fleet's ledger, where it has one: it must forget the outcome of a job before the job can
    /// be executed again.
    pub fn with_ledger(self, ledger: Arc<dyn Ledger>) -> Self {
        Self { ledger: Some(ledger), ..self }
    }

    /// Walks over the dead letters that the filter lets through, in the queue's order, up to
    /// the number that are there now.
    pub async fn scan(&self, filter: Filter) -> Result<Scan, DeadError> {
        let queue = self.names.dead();
        let depth = self.broker.depth(&queue).await?;
        Ok(Scan::new(Arc::clone(&self.broker), queue, depth.ready, filter, self.names.clone()))
    }

    /// The dead letter of a job.
    pub async fn find(&self, job_id: &str) -> Result<Option<DeadLetter>, DeadError> {
        let filter = Filter { job_id: Some(job_id.to_owned()), ..Filter::default() };
        self.scan(filter).await?.next().await
    }

    /// Puts jobs back on their lanes as their producers sent them, with all their attempts before
    /// them, and tells of each. A dead letter is settled after its copy was confirmed: a crash in
    /// between leaves both.
    pub async fn replay(
        &self,
        filter: Filter,
        how: Replay,
        mut each: impl FnMut(&DeadLetter, &Settled),
    ) -> Result<Tally, DeadError> {
        let mut scan = self.scan(filter).await?;
        let mut pace = how.rate.map(|rate| {
            let mut pace = interval(Duration::from_secs(1) / rate.get());
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            pace
        });
        let mut tally = Tally::default();
        while let Some(letter) = scan.next().await? {
            if let Some(pace) = &mut pace {
                pace.tick().await;
            }
            let settled = match self.put_back(&letter, how.link_timeout).await {
                Ok(()) => Settled::Done,
                Err(problem) => Settled::Kept(problem),
            };
            tally.count(&settled);
            each(&letter, &settled);
            if settled == Settled::Done {
                letter.settle().await?;
            }
        }
        Ok(tally)
    }

    /// Deletes dead letters for good, and tells of each.
    pub async fn drop(
        &self,
        filter: Filter,
        mut each: impl FnMut(&DeadLetter),
    ) -> Result<Tally, DeadError> {
        let mut scan = self.scan(filter).await?;
        let mut tally = Tally::default();
        while let Some(letter) = scan.next().await? {
            each(&letter);
            letter.settle().await?;
            tally.count(&Settled::Done);
        }
        Ok(tally)
    }

    async fn put_back(&self, letter: &DeadLetter, link_timeout: Duration) -> Result<(), String> {
        let Some(lane) = letter.lane.clone() else {
            return Err("it names no lane".to_owned());
        };
        let message =
            Message { body: letter.body().clone(), properties: letter.original_properties() };
        if let (Some(ledger), Some(id)) = (&self.ledger, &letter.job_id) {
            // a crash after it leaves the dead letter, and the next replay finds the job reopened
            let reopened = ledger.reopen(vec![id.clone()]).await;
            reopened.map_err(|error| format!("the ledger keeps its outcome: {error}"))?;
        }
        let to = Address::Lane(lane.clone());
        let sent = self.sender.send(&to, message, deadline(link_timeout)).await;
        let id = letter.job_id.clone().unwrap_or_default();
        sent.map_err(|error| SubmitError::new(error, id, lane).to_string())
    }
}

#[cfg(test)]
mod tests;
