//! All jobs at once, and each one's result as it comes.

use std::time::Duration;

use actionfleet_producer::{Producer, WaitError};
use actionfleet_proto::{Job, JobResult};
use anyhow::bail;
use futures::{StreamExt, stream::FuturesUnordered};
use tokio::time::Instant;

use crate::{material::Material, progress::Progress, stage::LANE, worker::Worker};

/// A job that came to an end, or that nobody waits for any longer.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) material: Material,
    /// From before it was enqueued until its result was here.
    pub(crate) took: Duration,
    pub(crate) result: Result<JobResult, WaitError>,
}

/// Fails only where the worker goes; what a job fails with is its result.
pub(crate) async fn all(
    producer: &Producer,
    worker: &mut Worker,
    jobs: Vec<(Material, Job)>,
    deadline: Instant,
) -> anyhow::Result<Vec<Finished>> {
    let mut progress = Progress::start(jobs.len());
    let submissions = jobs.into_iter().map(|job| one(producer, job, deadline));
    let mut waiting: FuturesUnordered<_> = submissions.collect();
    let mut finished = Vec::new();
    loop {
        tokio::select! {
            next = waiting.next() => match next {
                Some(job) => {
                    progress.add(&job);
                    finished.push(job);
                }
                None => return Ok(finished),
            },
            () = progress.tell() => {}
            status = worker.ended() => bail!("the worker ended among the jobs: {}", status?),
        }
    }
}

async fn one(producer: &Producer, (material, job): (Material, Job), deadline: Instant) -> Finished {
    let start = Instant::now();
    let left = deadline.saturating_duration_since(start);
    let result = producer.submit_and_wait(job, LANE, left).await;
    Finished { material, took: start.elapsed(), result }
}

impl Finished {
    pub(crate) fn attempts(&self) -> usize {
        self.result.as_ref().map_or(0, |result| result.attempts.len())
    }
}
