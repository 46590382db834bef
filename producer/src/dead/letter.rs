//! One dead letter, as its headers describe it.

use actionfleet_broker::{Delivery, HeaderValue, Properties};
use actionfleet_proto::{Code, Names, Timestamp, headers};
use bytes::Bytes;

use super::DeadError;

/// Put there by RabbitMQ on messages that it moved itself: from which queue, and why. It moves
/// jobs that wait for their time, too, from a level of the delay ladder, so that the last time
/// counts; older versions tell of the first alone.
const MOVED: [[&str; 2]; 2] = [
    ["x-last-death-queue", "x-last-death-reason"],
    ["x-first-death-queue", "x-first-death-reason"],
];

/// A job that the fleet gave up. Fields are absent where the broker, not a worker, moved it.
#[derive(Debug)]
pub struct DeadLetter {
    pub job_id: Option<String>,
    pub code: Option<Code>,
    pub action: Option<String>,
    pub lane: Option<String>,
    /// The attempt that was the last, from 1.
    pub attempt: Option<i64>,
    pub failed_at: Option<Timestamp>,
    /// The error as JSON, as the caller got it.
    pub error: Option<String>,
    /// Why the broker moved it, in RabbitMQ's words: `expired` by its AMQP property `expiration`,
    /// `delivery_limit`. Nobody answered the caller then.
    pub moved: Option<String>,
    delivery: Delivery,
}

impl DeadLetter {
    pub(super) fn new(delivery: Delivery, names: &Names) -> Self {
        let properties = &delivery.properties;
        let text = |name| properties.text_header(name).map(str::to_owned);
        let (from, moved) = moved(properties, names).unzip();
        Self {
            job_id: text(headers::JOB_ID).or_else(|| properties.message_id.clone()),
            code: properties.text_header(headers::CODE).and_then(|code| code.parse().ok()),
            action: text(headers::ACTION),
            lane: text(headers::LANE).or(from),
            attempt: match properties.header(headers::ATTEMPT) {
                Some(HeaderValue::Number(number)) => Some(*number),
                _ => None,
            },
            failed_at: properties.text_header(headers::FAILED_AT).and_then(|at| at.parse().ok()),
            error: text(headers::ERROR),
            moved: moved.flatten(),
            delivery,
        }
    }

    /// The job as its producer wrote it.
    pub fn body(&self) -> &Bytes {
        &self.delivery.body
    }

    pub fn properties(&self) -> &Properties {
        &self.delivery.properties
    }

    /// What the producer sent, without what the fleet and the broker noted on the way.
    pub(super) fn original_properties(&self) -> Properties {
        let mut properties = self.delivery.properties.clone();
        properties.headers.retain(|(name, _)| !is_note(name));
        // an id made by a worker was never in the message
        properties.message_id = properties.message_id.or_else(|| self.job_id.clone());
        properties
    }

    pub(super) async fn settle(self) -> Result<(), DeadError> {
        Ok(self.delivery.ack().await?)
    }
}

/// From which lane, and why.
fn moved(properties: &Properties, names: &Names) -> Option<(String, Option<String>)> {
    MOVED.iter().find_map(|[queue, reason]| {
        let lane = properties.text_header(queue)?.strip_prefix(&names.lane(""))?;
        Some((lane.to_owned(), properties.text_header(reason).map(str::to_owned)))
    })
}

fn is_note(header: &str) -> bool {
    const OURS: [&str; 8] = [
        headers::STATE,
        headers::CODE,
        headers::LANE,
        headers::ATTEMPT,
        headers::JOB_ID,
        headers::FAILED_AT,
        headers::ACTION,
        headers::ERROR,
    ];
    const BROKERS: [&str; 5] =
        ["x-death", "x-first-death-", "x-last-death-", "x-delivery-count", "x-acquired-count"];
    OURS.contains(&header) || BROKERS.iter().any(|prefix| header.starts_with(prefix))
}
