//! What the workers execute, asked of all of them at once.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use actionfleet_broker::{Address, Broker, BrokerError, Message, Properties, Source};
use actionfleet_proto::{Control, Names, WorkerReport, new_job_id};
use tokio::time::{Instant, timeout};

const PREFETCH: u16 = 256;
/// Workers that are heard; AMQP cannot tell how many there are.
const MOST: usize = 10_000;
/// A report is short; what is longer is none.
const LONGEST: usize = 64 * 1024;

/// The workers of a fleet, who answer for themselves.
#[derive(Debug)]
pub struct Workers {
    broker: Arc<dyn Broker>,
    names: Names,
}

impl Workers {
    pub fn new(broker: Arc<dyn Broker>, names: Names) -> Self {
        Self { broker, names }
    }

    /// Asks every worker what it executes. `patience` tells how long to wait in all, given who has
    /// answered so far; workers that are older than the question never answer.
    ///
    /// The topology must be there.
    pub async fn reports(
        &self,
        patience: impl Fn(&BTreeMap<String, WorkerReport>) -> Duration,
    ) -> Result<BTreeMap<String, WorkerReport>, BrokerError> {
        let queue = self.names.replies(&new_job_id());
        let mut answers = self.broker.consume(Source::Answers(queue.clone()), PREFETCH).await?;
        let properties = Properties {
            content_type: Some("application/json".to_owned()),
            kind: Some(Control::TYPE.to_owned()),
            reply_to: Some(queue),
            ..Properties::default()
        };
        let body = serde_json::to_vec(&Control::Report).unwrap_or_default().into();
        let asked = self.broker.publish(&Address::Control, Message { body, properties }).await;
        asked.map_err(|error| BrokerError::Link(error.to_string()))?;
        let start = Instant::now();
        let mut reports = BTreeMap::new();
        while reports.len() < MOST {
            let left = patience(&reports).saturating_sub(start.elapsed());
            let next = timeout(left, answers.next()).await;
            let Ok(Some(answer)) = next else { break };
            if answer.body.len() <= LONGEST
                && let Ok(report) = serde_json::from_slice::<WorkerReport>(&answer.body)
            {
                reports.insert(report.worker.clone(), report);
            }
            // on error it comes again, to nobody
            let _ = answer.ack().await;
        }
        Ok(reports)
    }
}

#[cfg(test)]
mod tests {
    use actionfleet_broker::LinkState;

    use super::*;
    use crate::fake::FakeBroker;

    fn report(worker: &str) -> Message {
        let report = WorkerReport { worker: worker.to_owned(), lanes: BTreeMap::new() };
        Message { body: serde_json::to_vec(&report).unwrap().into(), ..Message::default() }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_answers_in_time_is_heard_once() {
        let broker = FakeBroker::new();
        let workers = Workers::new(broker.port(), Names::default());
        let patience = |reports: &BTreeMap<_, _>| match reports.len() {
            2 => Duration::from_millis(100),
            _ => Duration::from_secs(1),
        };
        let start = Instant::now();
        let (reports, ()) = tokio::join!(workers.reports(patience), async {
            let (to, question) = broker.published(1).await.remove(0);
            assert_eq!((to, &question.body[..]), (Address::Control, &br#"{"type":"report"}"#[..]));
            let queue = question.properties.reply_to.unwrap();
            assert!(queue.starts_with("actionfleet.replies."), "{queue}");
            for answer in [report("a"), report("a"), Message::default(), report("b")] {
                broker.reply(&queue, answer).await;
            }
        });
        let reports: Vec<String> = reports.unwrap().into_keys().collect();
        assert_eq!((reports, start.elapsed().as_millis()), (vec!["a".into(), "b".into()], 100));
        assert_eq!(broker.inner().acked.len(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_has_an_end() {
        let broker = FakeBroker::new();
        let workers = Workers::new(broker.port(), Names::default());
        let reports = workers.reports(|_| Duration::from_secs(1)).await.unwrap();
        assert!(reports.is_empty());
        broker.set_link(LinkState::Closed);
    }
}
