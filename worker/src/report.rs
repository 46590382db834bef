//! Answers to who asks what this worker executes.

use std::{sync::Arc, time::Duration};

use actionfleet_broker::{Address, Message, Properties};
use actionfleet_proto::{LaneReport, WorkerReport};
use tokio::{sync::Semaphore, time::timeout};

use crate::worker::Worker;

/// Answers on their way at once. More questions than that are somebody's loop, and get none.
const AT_ONCE: usize = 16;
/// Nobody waits longer.
const LIMIT: Duration = Duration::from_secs(5);
/// Milliseconds after which an answer that nobody took is gone.
const EXPIRES: &str = "60000";

#[derive(Debug)]
pub(crate) struct Reporter {
    worker: Arc<Worker>,
    places: Arc<Semaphore>,
}

impl Reporter {
    pub(crate) fn new(worker: Arc<Worker>) -> Self {
        Self { worker, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Answers in the background: a slow link must not hold up cancellations.
    pub(crate) fn answer(&self, question: &Properties) {
        let Some(reply_to) = question.reply_to.clone() else {
            tracing::debug!("a question for a report, and nobody to answer to");
            return;
        };
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            tracing::debug!("too many questions for a report at once");
            return;
        };
        let message = message(&self.worker, question.correlation_id.clone());
        let broker = self.worker.broker.clone();
        tokio::spawn(async move {
            let to = Address::Queue(reply_to);
            match timeout(LIMIT, broker.publish(&to, message)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "nobody takes the report"),
                Err(_) => tracing::debug!("the report was not taken in time"),
            }
            drop(place);
        });
    }
}

fn message(worker: &Worker, correlation_id: Option<String>) -> Message {
    let lanes = worker.config.lanes.iter().map(|(lane, permits)| {
        let in_flight = worker.metrics.in_flight(lane);
        (lane.clone(), LaneReport { in_flight, permits: (*permits).into() })
    });
    let report = WorkerReport { worker: worker.id.clone(), lanes: lanes.collect() };
    let properties = Properties {
        content_type: Some("application/json".to_owned()),
        kind: Some(WorkerReport::TYPE.to_owned()),
        expiration: Some(EXPIRES.to_owned()),
        correlation_id,
        ..Properties::default()
    };
    Message { body: serde_json::to_vec(&report).unwrap_or_default().into(), properties }
}
