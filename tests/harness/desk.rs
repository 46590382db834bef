//! A producer of many jobs that wants an answer to each.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use actionfleet_broker::{
    Address, Broker, Consumer, LinkState, Message, Properties, PublishError, Source,
    amqp::{Amqp, AmqpConfig},
    embedded::{Embedded, EmbeddedConfig},
};
use actionfleet_proto::{JobResult, Status};
use bytes::Bytes;
use futures::StreamExt;
use serde_json::Value;
use tokio::time::timeout;

use super::PATIENCE;

const REPLIES: &str = "desk.replies";
const IN_FLIGHT: usize = 500;

pub struct Desk {
    broker: Arc<dyn Broker>,
    replies: Consumer,
    /// How many results each id got.
    pub answers: BTreeMap<String, u32>,
    /// Those that differ, to the byte.
    distinct: BTreeMap<String, BTreeSet<Bytes>>,
}

/// A link to the queue of a URL, as `broker.url` names it.
pub async fn broker(url: &str) -> Arc<dyn Broker> {
    match url.strip_prefix("embedded:") {
        Some(folder) => Arc::new(Embedded::open(EmbeddedConfig::new(folder)).await.unwrap()),
        None => Arc::new(Amqp::connect(AmqpConfig::new(url), Some(PATIENCE)).await.unwrap()),
    }
}

impl Desk {
    pub async fn open(url: &str) -> Self {
        let broker = broker(url).await;
        let replies = broker.consume(Source::Replies(REPLIES.into()), 1_000).await.unwrap();
        Self { broker, replies, answers: BTreeMap::new(), distinct: BTreeMap::new() }
    }

    /// Sends jobs `0` to `count`, each confirmed.
    pub async fn send(&self, count: u32, job: &Value) {
        self.send_numbers(0..count, job).await;
    }

    /// Sends jobs of these numbers, each confirmed.
    pub async fn send_numbers(&self, numbers: std::ops::Range<u32>, job: &Value) {
        let body = Bytes::from(job.to_string());
        let sends = numbers.map(|number| {
            let properties = Properties {
                message_id: Some(format!("job-{number}")),
                reply_to: Some(REPLIES.to_owned()),
                ..Properties::default()
            };
            self.confirmed(Message { body: body.clone(), properties })
        });
        futures::stream::iter(sends).buffer_unordered(IN_FLIGHT).collect::<Vec<_>>().await;
    }

    async fn confirmed(&self, message: Message) {
        let lane = Address::Lane("default".into());
        while let Err(error) = self.broker.publish(&lane, message.clone()).await {
            assert_eq!(error, PublishError::LinkLost);
            self.broker.link().wait_for(LinkState::is_up).await.unwrap();
        }
    }

    /// Takes one result; none within the limit is a failure of the test.
    pub async fn take(&mut self, limit: Duration) {
        let delivery = timeout(limit, self.replies.next()).await.unwrap_or_else(|_| {
            let (ids, link) = (self.answers.len(), self.broker.link());
            panic!("no result within {limit:?}; {ids} ids have theirs; {:?}", *link.borrow())
        });
        let delivery = delivery.expect("an open queue");
        let result: JobResult = serde_json::from_slice(&delivery.body).unwrap();
        assert_eq!(result.status, Status::Succeeded, "{result:?}");
        self.distinct.entry(result.id.clone()).or_default().insert(delivery.body.clone());
        // over a broken link the result comes again, and counts again
        if delivery.ack().await.is_ok() {
            *self.answers.entry(result.id).or_default() += 1;
        }
    }

    /// Takes results until so many ids have theirs.
    pub async fn take_until(&mut self, ids: u32) {
        while self.ids() < ids {
            self.take(PATIENCE).await;
        }
    }

    /// How many ids have a result.
    pub fn ids(&self) -> u32 {
        u32::try_from(self.answers.len()).unwrap()
    }

    /// Whether every id got the same result however often it got one.
    pub fn each_has_one_distinct(&self) {
        let differ = self.distinct.iter().find(|(_, bodies)| bodies.len() != 1);
        assert_eq!(differ, None, "one distinct result per id");
    }

    /// Results beyond one per id: what at-least-once cost.
    pub fn duplicates(&self) -> u32 {
        self.answers.values().map(|count| count - 1).sum()
    }
}
