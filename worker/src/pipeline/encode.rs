//! Conclusions as messages: results, copies, dead letters, notifications.

use std::{borrow::Cow, time::Duration};

use actionfleet_broker::{Message, Properties};
use actionfleet_proto::{
    ErrorBody, JobResultRef, Level, NOTIFICATION_TYPE, Notification, NotificationStatus, Progress,
    RESULT_TYPE, Status, Timestamp, Timing, headers, routing_word,
};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{Conclusion, Outcome, Received, Subject};
use crate::progress::Report;

const JSON: &str = "application/json";
const APP_ID: &str = "actionfleet";
/// Of a key's word, where the job's own name could not be read.
const NONE: &str = "none";

fn json_body(value: &impl serde::Serialize) -> Bytes {
    // most results fit: growing a buffer copies it each time
    let mut body = Vec::with_capacity(1024);
    let written = serde_json::to_writer(&mut body, value);
    if written.is_ok() { body.into() } else { Bytes::new() }
}

/// A result on its way.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) message: Message,
    /// On the results exchange.
    pub(super) routing_key: String,
    pub(super) finished_at: Timestamp,
}

/// What was recorded is told again to the byte.
pub(super) fn result(conclusion: &Conclusion, status: Status) -> Letter {
    let Conclusion { subject, outcome, .. } = conclusion;
    let (body, finished_at) = if let Outcome::Replayed(replay) = outcome {
        (replay.recorded.result.clone(), replay.recorded.finished_at)
    } else {
        let finished_at = Timestamp::now();
        (result_body(conclusion, status, finished_at), finished_at)
    };
    let mut properties = Properties {
        content_type: Some(JSON.to_owned()),
        message_id: Some(subject.state.id.clone()),
        correlation_id: Some(subject.correlation_id.clone()),
        kind: Some(RESULT_TYPE.to_owned()),
        timestamp: Some(finished_at.unix_seconds()),
        app_id: Some(APP_ID.to_owned()),
        ..Properties::default()
    };
    trace_headers(subject, &mut properties);
    let routing_key = routing_key(subject, status.as_str());
    Letter { message: Message { body, properties }, routing_key, finished_at }
}

fn result_body(conclusion: &Conclusion, status: Status, finished_at: Timestamp) -> Bytes {
    let Conclusion { subject, outcome, .. } = conclusion;
    let state = &subject.state;
    let (output, usage) = match outcome {
        Outcome::Succeeded(completion) => (Some(&completion.output), completion.usage.as_ref()),
        _ => (None, None),
    };
    let action = subject.action.as_deref();
    let message = match outcome.error() {
        Some(error) => Cow::Borrowed(error.message.as_str()),
        None => format!("{} completed successfully.", action.unwrap_or("the job")).into(),
    };
    let queued_until = state.first_started_at.unwrap_or(finished_at);
    let result = JobResultRef {
        id: &state.id,
        tenant: &subject.tenant,
        action,
        configuration: subject.configuration.as_deref(),
        handler: subject.handler.as_deref(),
        status,
        message: &message,
        output,
        error: outcome.error(),
        usage,
        attempts: &state.attempts,
        timing: Timing {
            enqueued_at: state.enqueued_at,
            started_at: state.first_started_at,
            finished_at,
            queued_ms: millis(queued_until.since(state.enqueued_at)),
            running_ms: state.running_ms(),
        },
        metadata: &subject.metadata,
        traceparent: subject.trace.traceparent.as_deref(),
    };
    json_body(&result)
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn trace_headers(subject: &Subject, properties: &mut Properties) {
    for (name, value) in [
        (headers::TRACEPARENT, &subject.trace.traceparent),
        (headers::TRACESTATE, &subject.trace.tracestate),
    ] {
        if let Some(value) = value {
            properties.set_header(name, value.as_str());
        }
    }
}

fn routing_key(subject: &Subject, status: &str) -> String {
    let action = subject.action.as_deref().unwrap_or(NONE);
    format!("{}.{}.{status}", routing_word(&subject.tenant), routing_word(action))
}

/// The message as it came, for another attempt; our memory of the job goes in a header.
pub(super) fn copy(received: &Received, subject: &Subject, attempts: u32) -> Message {
    let mut properties = received.delivery.properties.clone();
    properties.expiration = None;
    let mut state = subject.state.clone();
    state.attempt = state.attempt.saturating_add(attempts);
    properties.set_header(headers::STATE, state.to_header());
    Message { body: received.delivery.body.clone(), properties }
}

/// The message as it came, with what became of it.
pub(super) fn dead_letter(received: &Received, subject: &Subject, error: &ErrorBody) -> Message {
    let mut properties = received.delivery.properties.clone();
    properties.expiration = None;
    properties.headers.retain(|(name, _)| name != headers::STATE);
    properties.set_header(headers::CODE, error.code.as_str());
    properties.set_header(headers::LANE, &*received.lane);
    properties.set_header(headers::ATTEMPT, i64::from(subject.state.attempt));
    properties.set_header(headers::JOB_ID, subject.state.id.as_str());
    properties.set_header(headers::FAILED_AT, Timestamp::now().to_string());
    if let Some(action) = &subject.action {
        properties.set_header(headers::ACTION, action.as_str());
    }
    properties.set_header(headers::ERROR, serde_json::to_string(error).unwrap_or_default());
    Message { body: received.delivery.body.clone(), properties }
}

/// A notification and its routing key.
pub(crate) type Note = (Message, String);

pub(super) fn started(subject: &Subject) -> Note {
    notification(subject, NotificationStatus::Started, |note, _| {
        "An attempt starts.".clone_into(&mut note.description);
    })
}

pub(super) fn progress(subject: &Subject, report: Report) -> Note {
    notification(subject, NotificationStatus::Progress, |note, _| {
        note.attempt = report.attempt;
        note.description = report.text;
        note.progress = Some(Progress { done: report.done, total: report.total });
    })
}

pub(super) fn retrying(subject: &Subject, error: &ErrorBody, delay: Duration) -> Note {
    notification(subject, NotificationStatus::Retrying, |note, action| {
        note.title = format!("{action} is tried again");
        note.description.clone_from(&error.message);
        note.level = Level::Warning;
        note.next_attempt_at = Some(Timestamp::now().after(delay));
        note.error = Some(error.into());
        note.service.clone_from(&error.service);
    })
}

/// The last word; `None` for outcomes that are not final.
pub(super) fn finished(conclusion: &Conclusion) -> Option<(NotificationStatus, Note)> {
    let Conclusion { subject, outcome, .. } = conclusion;
    if let Outcome::Succeeded(completion) = outcome {
        let status = NotificationStatus::Completed;
        let note = notification(subject, status, |note, action| {
            note.title = format!("{action} completed");
            note.description = format!("{action} completed successfully.");
            note.output = serde_json::to_value(&completion.output).unwrap_or_default();
        });
        return Some((status, note));
    }
    let error = outcome.error().filter(|_| outcome.route().reply.is_some())?;
    let status = NotificationStatus::Failed;
    let note = notification(subject, status, |note, action| {
        note.title = format!("{action} failed");
        note.description.clone_from(&error.message);
        note.level = Level::Error;
        note.error = Some(error.into());
        note.service.clone_from(&error.service);
    });
    Some((status, note))
}

fn notification(
    subject: &Subject,
    status: NotificationStatus,
    fill: impl FnOnce(&mut Notification, &str),
) -> Note {
    let action = subject.action.as_deref().unwrap_or(NONE);
    let slug = format!("action-{}", status.as_str());
    let data = json!({"action": action, "id": subject.state.id});
    let input = subject.input.as_deref().map(serde_json::to_value);
    let mut note = Notification {
        id: subject.state.id.clone(),
        tenant: subject.tenant.clone(),
        action: action.to_owned(),
        handler: subject.handler.clone(),
        service: None,
        title: format!("{action} {}", status.as_str()),
        description: String::new(),
        icon: None,
        status,
        attempt: subject.state.attempt,
        input: input.and_then(Result::ok).unwrap_or(Value::Null),
        output: Value::Null,
        error: None,
        next_attempt_at: None,
        progress: None,
        dedup_key: Notification::dedup_key(&slug, &data),
        slug,
        level: Level::Info,
        metadata: subject.metadata.clone(),
        at: Timestamp::now(),
    };
    fill(&mut note, action);
    let mut properties = Properties {
        content_type: Some(JSON.to_owned()),
        message_id: Some(subject.state.id.clone()),
        correlation_id: Some(subject.correlation_id.clone()),
        kind: Some(NOTIFICATION_TYPE.to_owned()),
        timestamp: Some(note.at.unix_seconds()),
        app_id: Some(APP_ID.to_owned()),
        ..Properties::default()
    };
    trace_headers(subject, &mut properties);
    let message = Message { body: json_body(&note.bounded()), properties };
    (message, routing_key(subject, status.as_str()))
}
