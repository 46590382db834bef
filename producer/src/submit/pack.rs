//! A job becomes a message: validate → build → encode. Pure but for the clock and new ids.

use std::{borrow::Cow, time::Duration};

use actionfleet_broker::{Address, Message, Properties};
use actionfleet_proto::{DELAY_MAX, InvalidJob, Job, Timestamp, check_lane, headers, new_job_id};

use super::SubmitError;

pub(crate) const JSON: &str = "application/json";

/// Below it a worker waits in place.
const SHORTEST_DELAY: Duration = Duration::from_secs(1);

/// A job that keeps the rules.
#[derive(Debug)]
pub(super) struct Draft<'a, 'b> {
    job: Cow<'a, Job>,
    lane: &'b str,
}

/// A job with an identity and a way to go.
#[derive(Debug)]
pub(super) struct Built<'a, 'b> {
    job: Cow<'a, Job>,
    id: String,
    lane: &'b str,
    address: Address,
    properties: Properties,
}

/// A job ready to be published.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) id: String,
    pub(crate) lane: String,
    pub(crate) address: Address,
    pub(crate) message: Message,
}

impl Parcel {
    pub(crate) fn bytes(&self) -> usize {
        self.message.body.len()
    }
}

pub(super) fn validate<'a, 'b>(
    job: Cow<'a, Job>,
    lane: &'b str,
) -> Result<Draft<'a, 'b>, SubmitError> {
    check_lane(lane).map_err(|rule| SubmitError::InvalidLane { lane: lane.to_owned(), rule })?;
    job.validate()?;
    Ok(Draft { job, lane })
}

pub(super) fn build<'a, 'b>(draft: Draft<'a, 'b>, app_id: &str) -> Built<'a, 'b> {
    let Draft { mut job, lane } = draft;
    let id = match &job.id {
        Some(id) => id.clone(),
        None => job.to_mut().id.insert(new_job_id()).clone(),
    };
    let now = Timestamp::now();
    let properties = Properties {
        content_type: Some(JSON.to_owned()),
        message_id: Some(id.clone()),
        correlation_id: Some(id.clone()),
        timestamp: Some(now.unix_seconds()),
        app_id: Some(app_id.to_owned()),
        headers: vec![(headers::ENQUEUED_AT.to_owned(), now.to_string().into())],
        ..Properties::default()
    };
    let address = address(&job, lane, now);
    Built { job, id, lane, address, properties }
}

/// A wait that is known now starts now, without the detour over a worker. The body keeps its
/// field, which workers count from the message's timestamp: they find it is over, or send what
/// exceeds the ladder round again.
fn address(job: &Job, lane: &str, now: Timestamp) -> Address {
    let delay = match (job.delay, job.not_before) {
        (Some(delay), _) => delay.0,
        (None, Some(start)) => start.since(now),
        (None, None) => Duration::ZERO,
    };
    let lane = lane.to_owned();
    if delay < SHORTEST_DELAY {
        Address::Lane(lane)
    } else {
        Address::Delayed { lane, delay: delay.min(DELAY_MAX) }
    }
}

pub(super) fn encode(built: Built<'_, '_>, max: usize) -> Result<Parcel, SubmitError> {
    let Built { job, id, lane, address, properties } = built;
    let body = serde_json::to_vec(&*job)
        .map_err(|error| InvalidJob { field: ".".to_owned(), problem: error.to_string() })?;
    if body.len() > max {
        return Err(SubmitError::TooLarge { bytes: body.len(), max });
    }
    let message = Message { body: body.into(), properties };
    Ok(Parcel { id, lane: lane.to_owned(), address, message })
}
