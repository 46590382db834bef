//! Who may execute, park and finish a job: pure, the same for every engine.

use actionfleet_proto::Timestamp;

use super::row::{Row, millis};
use crate::port::{Claim, Claimed, Finished, JobEntry, JobStatus, Outcome, Parked, Released, Why};

/// A row's next state (`None`: it stays as it is) and the answer.
pub(super) type Decided<A> = (Option<Row>, A);

pub(super) fn claim(row: Option<&Row>, claim: &Claim, now: Timestamp) -> Decided<Claimed> {
    let Some(row) = row else {
        return (Some(running(new(claim, now), claim, now)), Claimed::Execute);
    };
    if let Some(outcome) = outcome_of(&row.entry) {
        return (None, Claimed::Recorded(Box::new(outcome)));
    }
    let was_lost = claim.redelivered && !is_another_submission(row, claim);
    if claim.attempt < row.entry.attempt {
        let answer = if was_lost { Claimed::Superseded } else { Claimed::Busy };
        return (None, answer);
    }
    let free = match row.entry.status {
        JobStatus::Waiting => true,
        // the caller asks again, because the answer got lost
        _ if row.fence == claim.fence => return (None, Claimed::Execute),
        // a copy for a later attempt is made by nobody but the holder, when it gives up
        _ => {
            was_lost
                || claim.attempt > row.entry.attempt
                || claim.released == Some(row.fence)
                || row.entry.claimed_at.is_some_and(|at| now.since(at) > claim.longest)
        }
    };
    if free {
        (Some(running(row.clone(), claim, now)), Claimed::Execute)
    } else {
        (None, Claimed::Busy)
    }
}

pub(super) fn park(
    row: Option<&Row>,
    claim: &Claim,
    parked: &Parked,
    now: Timestamp,
) -> Decided<Released> {
    let row = match row {
        Some(row) if row.fence != claim.fence => return (None, Released::TakenOver),
        Some(row) => match row.entry.status {
            JobStatus::Running => row.clone(),
            // parked before, and the answer got lost
            JobStatus::Waiting => return (None, Released::Parked),
            JobStatus::Finished(_) => return (None, Released::TakenOver),
        },
        // a crash of the database forgot the claim
        None => new(claim, now),
    };
    let entry = JobEntry {
        status: JobStatus::Waiting,
        attempt: parked.attempt_next,
        why: Some(parked.why),
        code: parked.code,
        next_at: parked.next_at,
        attempts: parked.attempts.clone(),
        ..row.entry
    };
    (Some(Row { entry, fence: claim.fence, sent_at: claim.sent_at }), Released::Parked)
}

pub(super) fn finish(
    row: Option<&Row>,
    claim: &Claim,
    outcome: &Outcome,
    now: Timestamp,
) -> Decided<Finished> {
    let row = match row {
        Some(row) => {
            let is_own = row.fence == claim.fence;
            match (row.entry.status, outcome_of(&row.entry)) {
                // the caller says it again, because the answer got lost
                (_, Some(_)) if is_own => return (None, Finished::Recorded),
                (_, Some(before)) => return (None, Finished::Already(Box::new(before))),
                (JobStatus::Running, None) if is_own => row.clone(),
                // whoever took it over gave it up: the copy that waits finds the outcome
                (JobStatus::Waiting, None) if is_free_for(&row.entry, claim) => row.clone(),
                _ => return (None, Finished::TakenOver),
            }
        }
        // a crash of the database forgot the claim
        None => new(claim, now),
    };
    let Outcome { status, code, result, attempts, cost, dead_lettered, finished_at } =
        outcome.clone();
    let entry = JobEntry {
        status: JobStatus::Finished(status),
        attempt: claim.attempt,
        why: None,
        code,
        next_at: None,
        finished_at: Some(finished_at),
        cost,
        dead_lettered,
        attempts,
        result: Some(result),
        ..row.entry
    };
    (Some(Row { entry, fence: claim.fence, sent_at: claim.sent_at }), Finished::Recorded)
}

/// Whether it can be executed again now.
pub(super) fn reopen(row: Option<&Row>) -> Decided<bool> {
    let row = match row {
        Some(row) if matches!(row.entry.status, JobStatus::Finished(_)) => row,
        // reopened before, and the answer got lost
        Some(row) => return (None, row.entry.why == Some(Why::Reopened)),
        None => return (None, false),
    };
    let entry = JobEntry {
        status: JobStatus::Waiting,
        attempt: 1,
        why: Some(Why::Reopened),
        code: None,
        next_at: None,
        finished_at: None,
        cost: None,
        dead_lettered: false,
        result: None,
        ..row.entry.clone()
    };
    (Some(Row { entry, fence: row.fence, sent_at: row.sent_at }), true)
}

/// The row that a holder finds.
pub(super) fn held(claim: &Claim, now: Timestamp) -> Row {
    running(new(claim, now), claim, now)
}

/// Where neither says when it was sent, they count as one.
fn is_another_submission(row: &Row, claim: &Claim) -> bool {
    row.sent_at.zip(claim.sent_at).is_some_and(|(one, other)| millis(one) != millis(other))
}

fn is_free_for(entry: &JobEntry, claim: &Claim) -> bool {
    entry.attempt <= claim.attempt && entry.why != Some(Why::Reopened)
}

fn outcome_of(entry: &JobEntry) -> Option<Outcome> {
    let JobStatus::Finished(status) = entry.status else { return None };
    Some(Outcome {
        status,
        code: entry.code,
        result: entry.result.clone().unwrap_or_default(),
        attempts: entry.attempts.clone(),
        cost: entry.cost.clone(),
        dead_lettered: entry.dead_lettered,
        finished_at: entry.finished_at.unwrap_or(entry.created_at),
    })
}

fn new(claim: &Claim, now: Timestamp) -> Row {
    let entry = JobEntry {
        job_id: claim.job_id.clone(),
        tenant: claim.tenant.clone(),
        action: claim.action.clone(),
        lane: claim.lane.clone(),
        status: JobStatus::Running,
        attempt: claim.attempt,
        why: None,
        code: None,
        enqueued_at: claim.enqueued_at,
        created_at: now,
        claimed_at: None,
        next_at: None,
        finished_at: None,
        cost: None,
        dead_lettered: false,
        attempts: Vec::new(),
        result: None,
    };
    Row { entry, fence: claim.fence, sent_at: claim.sent_at }
}

fn running(row: Row, claim: &Claim, now: Timestamp) -> Row {
    let entry = JobEntry {
        status: JobStatus::Running,
        attempt: claim.attempt,
        lane: claim.lane.clone(),
        why: None,
        code: None,
        next_at: None,
        claimed_at: Some(now),
        ..row.entry
    };
    Row { entry, fence: claim.fence, sent_at: claim.sent_at }
}
