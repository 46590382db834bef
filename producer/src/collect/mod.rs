//! The way of a result back: receive → decode → correlate → deliver → settle.

mod error;
mod waiters;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use actionfleet_broker::{Broker, BrokerError, Consumer, Delivery, Source};
use actionfleet_proto::{Job, JobResult, Names, Reply, new_job_id};
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout_at},
};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use error::WaitError;
pub(crate) use waiters::Waiter;
use waiters::Waiters;

/// Unsettled replies: they are settled as fast as they come.
const PREFETCH: u16 = 256;

/// Replies that reached nobody; they are settled all the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplyCounts {
    /// Too late, or of a job that this producer does not know.
    pub unclaimed: u64,
    /// Not a result.
    pub unreadable: u64,
}

#[derive(Debug, Default)]
struct Counters {
    unclaimed: AtomicU64,
    unreadable: AtomicU64,
}

/// One reply queue and one consumer for all who wait, started with the first of them.
#[derive(Debug)]
pub(crate) struct Collector {
    broker: Arc<dyn Broker>,
    queue: String,
    waiters: Arc<Waiters>,
    counters: Arc<Counters>,
    running: OnceCell<DropGuard>,
}

impl Collector {
    pub(crate) fn new(broker: Arc<dyn Broker>, names: &Names, waiters: usize) -> Self {
        Self {
            broker,
            queue: names.replies(&new_job_id()),
            waiters: Arc::new(Waiters::new(waiters)),
            counters: Arc::default(),
            running: OnceCell::new(),
        }
    }

    /// A waiter for the job's result, and the job addressed to it. To be called before the job is
    /// published, since its result may be faster than the confirm.
    pub(crate) async fn register(
        &self,
        mut job: Job,
        deadline: Instant,
    ) -> Result<(Job, Waiter), WaitError> {
        if job.reply.is_some() {
            return Err(WaitError::ReplyTaken);
        }
        let id = job.id.get_or_insert_with(new_job_id).clone();
        let waiter = self.waiters.register(id.clone())?;
        let start = self.running.get_or_try_init(|| self.start());
        match timeout_at(deadline, start).await {
            Ok(started) => started.map_err(WaitError::Replies)?,
            Err(_) => return Err(WaitError::TimedOut { id }),
        };
        job.reply = Some(Reply::Queue { queue: self.queue.clone() });
        Ok((job, waiter))
    }

    pub(crate) fn counts(&self) -> ReplyCounts {
        ReplyCounts {
            unclaimed: self.counters.unclaimed.load(Ordering::Relaxed),
            unreadable: self.counters.unreadable.load(Ordering::Relaxed),
        }
    }

    async fn start(&self) -> Result<DropGuard, BrokerError> {
        let consumer = self.broker.consume(Source::Replies(self.queue.clone()), PREFETCH).await?;
        let stop = CancellationToken::new();
        let (waiters, counters) = (Arc::clone(&self.waiters), Arc::clone(&self.counters));
        tokio::spawn(stop.clone().run_until_cancelled_owned(collect(consumer, waiters, counters)));
        Ok(stop.drop_guard())
    }
}

async fn collect(mut consumer: Consumer, waiters: Arc<Waiters>, counters: Arc<Counters>) {
    while let Some(delivery) = consumer.next().await {
        if let Some((id, result)) = decode(&delivery) {
            if !waiters.deliver(&id, result) {
                counters.unclaimed.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(job_id = id, "a reply that nobody waits for");
            }
        } else {
            counters.unreadable.fetch_add(1, Ordering::Relaxed);
            tracing::warn!("a message on the reply queue is not a result");
        }
        // on error the reply comes again, and nobody waits for it
        if let Err(error) = delivery.ack().await {
            tracing::debug!(%error, "a reply could not be settled");
        }
    }
    waiters.close();
}

/// The id that the waiter was registered under, and the result.
fn decode(delivery: &Delivery) -> Option<(String, JobResult)> {
    let result: JobResult = serde_json::from_slice(&delivery.body).ok()?;
    let id = delivery.properties.correlation_id.clone().unwrap_or_else(|| result.id.clone());
    Some((id, result))
}

#[cfg(test)]
mod tests;
