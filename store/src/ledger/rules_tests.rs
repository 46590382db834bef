//! The table of the rules, a row a line.

use std::time::Duration;

use actionfleet_proto::{Status, Timestamp};
use bytes::Bytes;

use super::{row::Row, rules};
use crate::port::{Claim, Claimed, Finished, JobStatus, Outcome, Parked, Released, Why};

fn moment() -> Timestamp {
    "2027-01-31T08:30:00Z".parse().unwrap()
}

fn claim(attempt: u32, fence: u64, redelivered: bool) -> Claim {
    Claim {
        job_id: "job".into(),
        attempt,
        redelivered,
        fence,
        sent_at: None,
        released: None,
        longest: Duration::from_secs(600),
        tenant: "default".into(),
        action: "echo".into(),
        lane: "default".into(),
        enqueued_at: moment(),
    }
}

fn sent(second: u64, claim: Claim) -> Claim {
    Claim { sent_at: Timestamp::from_unix_seconds(second), ..claim }
}

fn outcome(result: &'static str) -> Outcome {
    Outcome {
        status: Status::Succeeded,
        code: None,
        result: Bytes::from_static(result.as_bytes()),
        attempts: Vec::new(),
        cost: None,
        dead_lettered: false,
        finished_at: moment(),
    }
}

fn parked(attempt_next: u32, why: Why) -> Parked {
    Parked { attempt_next, why, code: None, next_at: None, attempts: Vec::new() }
}

fn running(attempt: u32, fence: u64) -> Row {
    rules::claim(None, &claim(attempt, fence, false), moment()).0.unwrap()
}

fn waiting(attempt: u32, fence: u64, next: u32) -> Row {
    let row = running(attempt, fence);
    let parked = parked(next, Why::Retrying);
    rules::park(Some(&row), &claim(attempt, fence, false), &parked, moment()).0.unwrap()
}

fn held_by(submission: u64, attempt: u32) -> Row {
    let holder = sent(submission, claim(attempt, 1, false));
    rules::claim(None, &holder, moment()).0.unwrap()
}

fn finished(attempt: u32, fence: u64) -> Row {
    let row = running(attempt, fence);
    let claim = claim(attempt, fence, false);
    rules::finish(Some(&row), &claim, &outcome("first"), moment()).0.unwrap()
}

fn reopened() -> Row {
    rules::reopen(Some(&finished(3, 1))).0.unwrap()
}

fn released_by(fence: u64) -> Claim {
    Claim { released: Some(fence), ..claim(1, 2, false) }
}

fn began_before(seconds: u64) -> Row {
    let start = Timestamp::from_unix_seconds(moment().unix_seconds() - seconds).unwrap();
    rules::claim(None, &claim(1, 1, false), start).0.unwrap()
}

#[test]
fn who_may_execute() {
    let recorded = || Claimed::Recorded(Box::new(outcome("first")));
    for (name, row, claimed, answer, holder) in [
        ("a new job", None, claim(1, 2, false), Claimed::Execute, Some(2)),
        ("a duplicate", Some(running(1, 1)), claim(1, 2, false), Claimed::Busy, None),
        ("delivered again", Some(running(1, 1)), claim(1, 2, true), Claimed::Execute, Some(2)),
        ("asked twice", Some(running(1, 1)), claim(1, 1, false), Claimed::Execute, None),
        (
            "the next attempt before its park",
            Some(running(1, 1)),
            claim(2, 2, false),
            Claimed::Execute,
            Some(2),
        ),
        ("the next attempt", Some(waiting(1, 1, 2)), claim(2, 2, false), Claimed::Execute, Some(2)),
        ("throttled", Some(waiting(1, 1, 1)), claim(1, 2, false), Claimed::Execute, Some(2)),
        ("an old copy", Some(waiting(1, 1, 2)), claim(1, 2, true), Claimed::Superseded, None),
        ("an older copy", Some(running(3, 1)), claim(2, 2, true), Claimed::Superseded, None),
        ("a late duplicate", Some(running(3, 1)), claim(1, 2, false), Claimed::Busy, None),
        ("its holder let it go", Some(running(1, 1)), released_by(1), Claimed::Execute, Some(2)),
        ("an earlier one did", Some(running(1, 3)), released_by(1), Claimed::Busy, None),
        (
            "its holder is long gone",
            Some(began_before(601)),
            claim(1, 2, false),
            Claimed::Execute,
            Some(2),
        ),
        (
            "its holder may be there",
            Some(began_before(600)),
            claim(1, 2, false),
            Claimed::Busy,
            None,
        ),
        ("recorded", Some(finished(2, 1)), claim(1, 2, true), recorded(), None),
        ("recorded by itself", Some(finished(2, 1)), claim(2, 1, false), recorded(), None),
        ("reopened", Some(reopened()), claim(1, 2, false), Claimed::Execute, Some(2)),
    ] {
        let (next, given) = rules::claim(row.as_ref(), &claimed, moment());
        assert_eq!(given, answer, "{name}");
        assert_eq!(next.as_ref().map(|row| row.fence), holder, "{name}");
        assert!(next.is_none_or(|row| row.entry.status == JobStatus::Running), "{name}");
    }
}

#[test]
fn submissions_of_one_job_are_told_apart() {
    for (name, row, claimed, answer) in [
        ("the holder's", held_by(7, 1), sent(7, claim(1, 2, true)), Claimed::Execute),
        ("another", held_by(7, 1), sent(8, claim(1, 2, true)), Claimed::Busy),
        ("another, late", held_by(7, 3), sent(8, claim(1, 2, true)), Claimed::Busy),
        ("an old copy", held_by(7, 3), sent(7, claim(1, 2, true)), Claimed::Superseded),
        ("one that does not say", held_by(7, 1), claim(1, 2, true), Claimed::Execute),
        ("of one that did not", running(1, 1), sent(8, claim(1, 2, true)), Claimed::Execute),
    ] {
        let (next, given) = rules::claim(Some(&row), &claimed, moment());
        assert_eq!(given, answer, "{name}");
        let by = next.map(|row| row.sent_at);
        let taken = (answer == Claimed::Execute).then_some(claimed.sent_at);
        assert_eq!(by, taken, "{name}: whoever took it is known");
    }
}

#[test]
fn who_may_give_up() {
    for (name, row, by, answer, writes) in [
        ("the holder", Some(running(1, 1)), claim(1, 1, false), Released::Parked, true),
        ("again", Some(waiting(1, 1, 2)), claim(1, 1, false), Released::Parked, false),
        ("forgotten", None, claim(1, 1, false), Released::Parked, true),
        ("taken over", Some(running(1, 2)), claim(1, 1, false), Released::TakenOver, false),
        ("too late", Some(finished(1, 2)), claim(1, 1, false), Released::TakenOver, false),
        ("after the outcome", Some(finished(1, 1)), claim(1, 1, false), Released::TakenOver, false),
    ] {
        let next = parked(2, Why::Retrying);
        let (row, given) = rules::park(row.as_ref(), &by, &next, moment());
        assert_eq!(given, answer, "{name}");
        assert_eq!(row.is_some(), writes, "{name}");
        assert!(
            row.is_none_or(|row| row.entry.status == JobStatus::Waiting && row.entry.attempt == 2)
        );
    }
}

#[test]
fn who_may_record() {
    let already = || Finished::Already(Box::new(outcome("first")));
    for (name, row, by, answer, writes) in [
        ("the holder", Some(running(1, 1)), claim(1, 1, false), Finished::Recorded, true),
        ("again", Some(finished(1, 1)), claim(1, 1, false), Finished::Recorded, false),
        ("forgotten", None, claim(1, 1, false), Finished::Recorded, true),
        ("taken over", Some(running(1, 2)), claim(1, 1, false), Finished::TakenOver, false),
        ("too late", Some(finished(1, 2)), claim(1, 1, false), already(), false),
        (
            "given up for the same attempt",
            Some(waiting(1, 2, 1)),
            claim(1, 1, false),
            Finished::Recorded,
            true,
        ),
        (
            "given up for the next",
            Some(waiting(1, 2, 2)),
            claim(1, 1, false),
            Finished::TakenOver,
            false,
        ),
        ("reopened", Some(reopened()), claim(3, 1, false), Finished::TakenOver, false),
    ] {
        let (row, given) = rules::finish(row.as_ref(), &by, &outcome("second"), moment());
        assert_eq!(given, answer, "{name}");
        assert_eq!(row.is_some(), writes, "{name}");
        let Some(row) = row else { continue };
        assert_eq!(row.entry.result, Some(Bytes::from_static(b"second")), "{name}");
    }
}

#[test]
fn what_can_be_reopened() {
    for (name, row, answer, writes) in [
        ("nothing", None, false, false),
        ("running", Some(running(1, 1)), false, false),
        ("waiting", Some(waiting(1, 1, 2)), false, false),
        ("finished", Some(finished(2, 1)), true, true),
        ("again", Some(reopened()), true, false),
    ] {
        let (row, given) = rules::reopen(row.as_ref());
        assert_eq!(given, answer, "{name}");
        assert_eq!(row.is_some(), writes, "{name}");
        assert!(row.is_none_or(|row| row.entry.attempt == 1 && row.entry.result.is_none()));
    }
}
