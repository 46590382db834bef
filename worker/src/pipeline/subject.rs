//! Whom a conclusion is about: what results, notifications and copies repeat of a job.

use std::sync::Arc;

use actionfleet_broker::{Address, Properties};
use actionfleet_proto::{
    Input, InvalidName, JobState, Map, NotifyOn, Reply, Timestamp, check_identifier, check_job_id,
    headers, new_job_id,
};
use serde_json::Value;

use crate::handler::Trace;

pub(crate) const DEFAULT_TENANT: &str = "default";

#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) tenant: String,
    pub(crate) action: Option<String>,
    pub(crate) configuration: Option<String>,
    pub(crate) handler: Option<String>,
    /// For notifications alone.
    pub(crate) input: Option<Arc<Input>>,
    pub(crate) reply_to: Option<Address>,
    pub(crate) correlation_id: String,
    pub(crate) notify: Vec<NotifyOn>,
    pub(crate) metadata: Map,
    pub(crate) trace: Trace,
    /// The job's id and what happened to it so far.
    pub(crate) state: JobState,
}

impl Subject {
    /// All that the properties alone tell, for jobs whose body does not read.
    pub(crate) fn from_properties(properties: &Properties, received_at: Timestamp) -> Self {
        let state = state(properties, received_at);
        let header = |name| properties.text_header(name).map(str::to_owned);
        Self {
            tenant: header(headers::TENANT)
                .filter(|tenant| check_identifier(tenant).is_ok())
                .unwrap_or_else(|| DEFAULT_TENANT.to_owned()),
            action: None,
            configuration: None,
            handler: None,
            input: None,
            reply_to: properties.reply_to.clone().map(Address::Queue),
            correlation_id: properties.correlation_id.clone().unwrap_or_else(|| state.id.clone()),
            notify: vec![NotifyOn::Failed],
            metadata: Map::new(),
            trace: Trace {
                traceparent: header(headers::TRACEPARENT),
                tracestate: header(headers::TRACESTATE),
            },
            state,
        }
    }

    /// The body's reply address goes before the property's.
    pub(crate) fn set_reply(&mut self, reply: &Reply) {
        self.reply_to = match reply {
            Reply::Queue { queue } => Some(Address::Queue(queue.clone())),
            Reply::Exchange { exchange, routing_key } => Some(Address::Exchange {
                exchange: exchange.clone(),
                routing_key: routing_key.clone(),
            }),
            Reply::Webhook { .. } => return,
        };
    }

    /// What can be read of a body that is not a job, so that its producer is told.
    pub(crate) fn adopt(&mut self, body: &Map) {
        let name = |field: &str, check: fn(&str) -> Result<(), InvalidName>| {
            let text = body.get(field).and_then(Value::as_str);
            text.filter(|text| check(text).is_ok()).map(str::to_owned)
        };
        if let Some(id) = name("id", check_job_id) {
            if self.correlation_id == self.state.id {
                self.correlation_id.clone_from(&id);
            }
            self.state.id = id;
        }
        if let Some(tenant) = name("tenant", check_identifier) {
            self.tenant = tenant;
        }
        self.action = name("action", check_identifier);
        let reply = body.get("reply").cloned().map(serde_json::from_value::<Reply>);
        if let Some(Ok(reply)) = reply {
            self.set_reply(&reply);
        }
    }

    pub(crate) fn wants(&self, notification: NotifyOn) -> bool {
        self.notify.contains(&notification)
    }
}

/// Whether the message is one that we put back, with what we know of its job.
pub(crate) fn is_copy(properties: &Properties) -> bool {
    own_state(properties).is_some()
}

fn own_state(properties: &Properties) -> Option<JobState> {
    properties.text_header(headers::STATE).and_then(JobState::from_header)
}

/// From our own header on a copy; else the first attempt of a job as its producer sent it.
fn state(properties: &Properties, received_at: Timestamp) -> JobState {
    if let Some(state) = own_state(properties) {
        return state;
    }
    let id = properties.message_id.clone().filter(|id| check_job_id(id).is_ok());
    let enqueued_at = enqueued_at(properties, received_at);
    let expiration = properties.expiration.as_deref().and_then(|ms| ms.parse().ok());
    JobState {
        id: id.unwrap_or_else(new_job_id),
        attempt: 1,
        enqueued_at,
        first_started_at: None,
        expires_at: expiration.map(|ms| enqueued_at.after(std::time::Duration::from_millis(ms))),
        attempts: Vec::new(),
        released: None,
    }
}

/// As the message says it, the same in every copy of it.
pub(crate) fn sent_at(properties: &Properties) -> Option<Timestamp> {
    exactly_sent_at(properties)
        .or_else(|| properties.timestamp.and_then(Timestamp::from_unix_seconds))
}

fn exactly_sent_at(properties: &Properties) -> Option<Timestamp> {
    properties.text_header(headers::ENQUEUED_AT).and_then(|text| text.parse().ok())
}

/// Our header says it to the millisecond. AMQP's timestamp was cut to whole seconds: the job is
/// taken to be as young as that allows, so that no delay ends early.
fn enqueued_at(properties: &Properties, received_at: Timestamp) -> Timestamp {
    let cut = || properties.timestamp.and_then(Timestamp::from_unix_seconds);
    exactly_sent_at(properties)
        .or_else(|| cut().map(|second| second.after(std::time::Duration::from_millis(999))))
        .map_or(received_at, |at| at.min(received_at))
}
