//! The face of the library.

use std::{borrow::Cow, sync::Arc, time::Duration};

use actionfleet_broker::Broker;
use actionfleet_proto::{Control, Job, JobResult};
use actionfleet_store::{JobEntry, Ledger, StoreError};
use futures::{Stream, StreamExt};
use tokio::time::Instant;

use crate::{
    ProducerConfig, SubmitError,
    collect::{Collector, ReplyCounts, WaitError},
    submit::{Budget, Parcel, Submitter, deadline},
};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GetError {
    /// [`Producer::with_ledger`] was not called.
    #[error("this producer was given no ledger")]
    NoLedger,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Puts jobs on the queue and collects their results. One per process is enough: it is shared by
/// reference, and every call goes over the broker's one publishing link.
#[derive(Debug)]
pub struct Producer {
    submitter: Submitter,
    collector: Collector,
    link_timeout: Duration,
    window: usize,
    window_bytes: usize,
    ledger: Option<Arc<dyn Ledger>>,
}

impl Producer {
    pub fn new(broker: Arc<dyn Broker>, config: ProducerConfig) -> Self {
        Self {
            collector: Collector::new(Arc::clone(&broker), &config.names, config.waiters),
            link_timeout: config.link_timeout,
            window: config.window.max(1),
            window_bytes: config.window_bytes,
            submitter: Submitter::new(broker, config),
            ledger: None,
        }
    }

    /// The fleet's ledger, for [`Producer::get`].
    pub fn with_ledger(self, ledger: Arc<dyn Ledger>) -> Self {
        Self { ledger: Some(ledger), ..self }
    }

    /// What the ledger knows of a job, with its result once it has one. `None` also while the job
    /// waits in its lane and no worker has seen it yet.
    pub async fn get(&self, job_id: &str) -> Result<Option<JobEntry>, GetError> {
        let ledger = self.ledger.as_ref().ok_or(GetError::NoLedger)?;
        Ok(ledger.get(job_id).await?)
    }

    /// Puts a job on a lane and gives its id once the broker has it on disk.
    ///
    /// A job without an id gets a new one. Where the link breaks before the confirm, the job is
    /// sent again under the same id: it may then be queued twice, and is one job to a fleet with a
    /// ledger.
    pub async fn submit(&self, job: &Job, lane: &str) -> Result<String, SubmitError> {
        let parcel = self.submitter.pack(Cow::Borrowed(job), lane)?;
        self.submitter.send(parcel, self.deadline()).await
    }

    /// Puts many jobs on a lane, thousands on their way at once, and gives each one's outcome with
    /// the mark it came with, in the order of the confirms. Memory is bounded by the configured
    /// window; nothing happens unless the returned stream is polled.
    pub fn submit_many<'a, T: 'a>(
        &'a self,
        lane: &'a str,
        jobs: impl Stream<Item = (T, Job)> + 'a,
    ) -> impl Stream<Item = (T, Result<String, SubmitError>)> + 'a {
        let budget = Budget::new(self.window_bytes);
        jobs.map(move |(mark, job)| (mark, self.submitter.pack(Cow::Owned(job), lane)))
            .then(move |(mark, parcel)| {
                let share = budget.share(parcel.as_ref().map_or(0, Parcel::bytes));
                async move { (mark, parcel, share.await) }
            })
            .map(move |(mark, parcel, share)| async move {
                let outcome = match parcel {
                    Ok(parcel) => self.submitter.send(parcel, self.deadline()).await,
                    Err(error) => Err(error),
                };
                drop(share);
                (mark, outcome)
            })
            .buffer_unordered(self.window)
    }

    /// Puts a job on a lane and waits for its result, `timeout` for everything, `Duration::MAX` for
    /// ever. The job's `reply` must be absent: the result comes to a queue that this producer
    /// shares among its callers.
    ///
    /// A result that comes after the timeout is lost to this caller; the job runs all the same
    /// ([`Producer::cancel`] stops it).
    pub async fn submit_and_wait(
        &self,
        job: Job,
        lane: &str,
        timeout: Duration,
    ) -> Result<JobResult, WaitError> {
        let deadline = deadline(timeout);
        let (job, waiter) = self.collector.register(job, deadline).await?;
        let parcel = self.submitter.pack(Cow::Owned(job), lane)?;
        tokio::select! {
            // the deadline is asked first, so that it wins against a result of the same moment
            biased;
            result = waiter.result(deadline) => result,
            error = async {
                match self.submitter.send(parcel, deadline.min(self.deadline())).await {
                    Err(error) => WaitError::from(error),
                    Ok(_) => std::future::pending().await,
                }
            } => Err(error),
        }
    }

    /// Asks every worker to stop the job where it runs and to refuse it where it arrives. Who
    /// waits for the job gets a result of status `cancelled`, unless it has finished already.
    pub async fn cancel(&self, id: &str) -> Result<(), SubmitError> {
        self.submitter.cancel(id, self.deadline()).await
    }

    /// Tells every worker to look at the catalog of definitions now. They do so by themselves, too,
    /// a little later.
    pub async fn tell_catalog_changed(&self) -> Result<(), SubmitError> {
        self.submitter.control(&Control::CatalogChanged, "catalog", self.deadline()).await
    }

    /// What became of replies that nobody waited for.
    pub fn reply_counts(&self) -> ReplyCounts {
        self.collector.counts()
    }

    fn deadline(&self) -> Instant {
        deadline(self.link_timeout)
    }
}
