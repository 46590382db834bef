//! How jobs look.

use std::time::Duration;

use actionfleet_proto::{Attempt, AttemptOutcome, Span};
use actionfleet_store::{JobEntry, Why};
use serde_json::{Value, json};

use crate::output::table;

/// For programs, without the result.
pub(super) fn summary(job: &JobEntry) -> Value {
    json!({
        "id": job.job_id,
        "status": job.status.as_str(),
        "tenant": job.tenant,
        "action": job.action,
        "lane": job.lane,
        "attempt": job.attempt,
        "why": job.why.map(Why::as_str),
        "code": job.code,
        "enqueued_at": job.enqueued_at,
        "created_at": job.created_at,
        "claimed_at": job.claimed_at,
        "next_at": job.next_at,
        "finished_at": job.finished_at,
        "cost": job.cost,
        "dead_lettered": job.dead_lettered,
    })
}

pub(super) fn whole(job: &JobEntry) -> Value {
    let mut whole = summary(job);
    if let Value::Object(fields) = &mut whole {
        fields.insert("attempts".into(), json!(job.attempts));
        fields.insert("result".into(), result(job));
    }
    whole
}

pub(super) fn row(job: &JobEntry) -> [String; 9] {
    let cost = job.cost.as_ref().map(|cost| format!("{} {}", cost.amount, cost.currency));
    [
        job.job_id.clone(),
        job.status.as_str().to_owned(),
        job.action.clone(),
        job.tenant.clone(),
        job.attempt.to_string(),
        or_dash(job.code),
        job.created_at.to_string(),
        or_dash(job.finished_at),
        or_dash(cost),
    ]
}

pub(super) fn list(rows: Vec<[String; 9]>) -> String {
    if rows.is_empty() {
        return "no jobs".to_owned();
    }
    let head =
        ["JOB", "STATUS", "ACTION", "TENANT", "ATTEMPT", "CODE", "FIRST SEEN", "ENDED", "COST"];
    table(head, rows)
}

/// For people: the row, the timeline, the result.
pub(super) fn page(job: &JobEntry) -> String {
    let mut page = list(vec![row(job)]);
    page.push_str("\n\n");
    page.push_str(&table(["TIME", "WHAT", "CODE", "TOOK"], timeline(job)));
    let result = result(job);
    if !result.is_null() {
        page.push_str("\n\n");
        page.push_str(&serde_json::to_string_pretty(&result).unwrap_or_default());
    }
    page
}

fn timeline(job: &JobEntry) -> Vec<[String; 4]> {
    let line = |time: String, what: &str| [time, what.to_owned(), String::new(), String::new()];
    let mut lines = vec![line(job.enqueued_at.to_string(), "enqueued")];
    lines.extend(job.attempts.iter().map(attempt));
    if let Some(why) = job.why {
        let until = job.next_at.map(|at| format!(" until {at}")).unwrap_or_default();
        lines.push(line(String::new(), &format!("waits: {}{until}", why.as_str())));
    }
    match (job.finished_at, job.claimed_at) {
        (Some(at), _) => lines.push(line(at.to_string(), job.status.as_str())),
        (None, Some(at)) if job.why.is_none() => {
            lines.push(line(at.to_string(), &format!("attempt {} runs", job.attempt)));
        }
        _ => {}
    }
    lines
}

fn attempt(attempt: &Attempt) -> [String; 4] {
    let outcome = match attempt.outcome {
        AttemptOutcome::Succeeded => "succeeded",
        AttemptOutcome::Retry => "failed, is tried again",
        AttemptOutcome::Failed => "failed",
    };
    [
        attempt.started_at.to_string(),
        format!("attempt {} {outcome}", attempt.number),
        attempt.code.map(|code| code.to_string()).unwrap_or_default(),
        Span(Duration::from_millis(attempt.duration_ms)).to_string(),
    ]
}

/// As it was published.
fn result(job: &JobEntry) -> Value {
    job.result.as_deref().and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default()
}

fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}
