//! Bytes and headers become a job, or poison.

use std::sync::Arc;

use actionfleet_broker::{HeaderValue, Properties};
use actionfleet_proto::{
    Code, ErrorBody, Input, InvalidJob, Job, NotifyOn, check_identifier, check_job_id, headers,
};
use serde_json::Value;

use super::{
    Conclusion, Outcome, Received, Subject,
    outcome::describe,
    subject::{DEFAULT_TENANT, is_copy},
};
use crate::worker::Worker;

/// The AMQP property.
const MESSAGE_ID: &str = "message_id";

#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) subject: Subject,
    pub(super) input: Arc<Input>,
    /// Without its input, which is shared.
    pub(super) job: Job,
    /// Before this one, as far as the broker counts.
    pub(super) deliveries: u64,
}

pub(super) fn decode(worker: &Worker, received: &Received) -> Result<Decoded, Box<Conclusion>> {
    let delivery = &received.delivery;
    let mut subject = Subject::from_properties(&delivery.properties, received.at);
    let limits = &worker.config.limits;
    if delivery.body.len() > limits.job_bytes {
        let problem = format!(
            "the body has {} bytes; at most {} are taken (limits.job_bytes)",
            delivery.body.len(),
            limits.job_bytes
        );
        return Err(poison(subject, ErrorBody::new(Code::PayloadTooLarge, problem)));
    }
    let mut job = match read(&delivery.body, delivery.properties.content_type.as_deref()) {
        Ok(job) => job,
        Err(InvalidJob { field, problem }) => {
            if let Ok(Value::Object(body)) = serde_json::from_slice(&delivery.body) {
                subject.adopt(&body);
            }
            let mut error = ErrorBody::new(Code::InvalidJob, problem.clone());
            error.field_errors.insert(field, problem);
            return Err(poison(subject, error));
        }
    };
    let problem = property_problem(&job, &delivery.properties);
    identify(&mut subject, &mut job);
    if let Some((property, problem)) = problem {
        if subject.correlation_id == subject.state.id
            && let Some(id) = &delivery.properties.message_id
        {
            // what its producer takes for the job's id, so that it knows whose error this is
            subject.correlation_id.clone_from(id);
        }
        let mut error = ErrorBody::new(Code::InvalidJob, problem.clone());
        error.field_errors.insert(property.to_owned(), problem);
        return Err(poison(subject, error));
    }
    let input = Arc::new(std::mem::replace(&mut job.input, Input::Text(Vec::new())));
    if subject.notify.len() > usize::from(subject.wants(NotifyOn::Failed)) {
        subject.input = Some(input.clone());
    }
    Ok(Decoded { subject, input, job, deliveries: delivery.delivery_count })
}

/// What stands for a field that the body leaves out, and does not read, must not become another
/// tenant or job.
fn property_problem(job: &Job, properties: &Properties) -> Option<(&'static str, String)> {
    let tenant = || Some((headers::TENANT, tenant_problem(properties)?));
    let id = || Some((MESSAGE_ID, message_id_problem(properties)?));
    let tenant = if job.tenant.is_none() { tenant() } else { None };
    tenant.or_else(|| if job.id.is_none() { id() } else { None })
}

fn tenant_problem(properties: &Properties) -> Option<String> {
    let header = properties.header(headers::TENANT)?;
    let HeaderValue::Text(tenant) = header else {
        return Some(format!("{}: must be text", headers::TENANT));
    };
    check_identifier(tenant).err().map(|rule| format!("{}: {rule}", headers::TENANT))
}

/// Copies of ours know their job's id by their own header.
fn message_id_problem(properties: &Properties) -> Option<String> {
    let rule = check_job_id(properties.message_id.as_deref()?).err()?;
    let way_out = "give the job an `id` in its body, or leave the property out for a new one";
    (!is_copy(properties)).then(|| format!("{MESSAGE_ID}: {rule}; {way_out}"))
}

fn read(body: &[u8], content_type: Option<&str>) -> Result<Job, InvalidJob> {
    match content_type {
        None => Job::from_slice(body),
        Some(content_type) => {
            let essence = content_type.split(';').next().unwrap_or_default().trim();
            if essence.is_empty() || essence.eq_ignore_ascii_case("application/json") {
                return Job::from_slice(body);
            }
            Job::from_media_type(essence, body)
        }
    }
}

fn poison(subject: Subject, error: ErrorBody) -> Box<Conclusion> {
    let error = describe(&subject, error);
    Conclusion::early(subject, Outcome::Poison(error).with_next())
}

/// What the body says of the job goes before what the properties say.
fn identify(subject: &mut Subject, job: &mut Job) {
    if let (Some(id), 1, true) = (&job.id, subject.state.attempt, subject.state.attempts.is_empty())
    {
        if subject.correlation_id == subject.state.id {
            subject.correlation_id.clone_from(id);
        }
        subject.state.id.clone_from(id);
    }
    if let Some(tenant) = job.tenant.take() {
        subject.tenant = tenant;
    } else if subject.tenant.is_empty() {
        DEFAULT_TENANT.clone_into(&mut subject.tenant);
    }
    subject.action.clone_from(&job.action);
    subject.configuration.clone_from(&job.configuration);
    subject.handler.clone_from(&job.handler);
    subject.metadata = std::mem::take(&mut job.metadata);
    if let Some(reply) = &job.reply {
        subject.set_reply(reply);
    }
    if let Some(notify) = job.notify.take() {
        subject.notify = notify;
    }
}
