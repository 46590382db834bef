use std::time::Duration;

use actionfleet_proto::{Attempt, AttemptOutcome, Code, Cost, Status, Timestamp};
use actionfleet_store::{
    Claim, Claimed, Finished, JobEntry, JobStatus, Outcome, Parked, Released, StoreError, Why,
};
use bytes::Bytes;

use crate::place::{Place, again, claim, copy, outcome, parked};

pub async fn a_job_is_claimed_once_and_its_outcome_replayed(place: &Place) {
    let ledger = place.open().await.ledger;
    let first = claim();
    assert_eq!(ledger.get(&first.job_id).await.unwrap(), None);
    assert_eq!(ledger.claim(first.clone()).await.unwrap(), Claimed::Execute);
    let duplicate = copy(&first, 1);
    assert_eq!(ledger.claim(duplicate.clone()).await.unwrap(), Claimed::Busy);
    assert_eq!(ledger.finish(&first, outcome("paid")).await.unwrap(), Finished::Recorded);

    let recorded = Claimed::Recorded(Box::new(outcome("paid")));
    for later in [duplicate.clone(), again(&first), copy(&first, 4)] {
        assert_eq!(ledger.claim(later).await.unwrap(), recorded);
    }
    let late = ledger.finish(&duplicate, outcome("paid again")).await.unwrap();
    assert_eq!(late, Finished::Already(Box::new(outcome("paid"))));
    drop(ledger);

    let ledger = place.open().await.ledger;
    assert_eq!(ledger.claim(again(&first)).await.unwrap(), recorded, "after a restart");
}

pub async fn a_delivery_that_was_lost_is_taken_over(place: &Place) {
    let (here, there) = (place.open().await.ledger, place.open().await.ledger);
    let lost = claim();
    assert_eq!(here.claim(lost.clone()).await.unwrap(), Claimed::Execute);
    let taken = again(&lost);
    assert_eq!(there.claim(taken.clone()).await.unwrap(), Claimed::Execute);

    assert_eq!(here.finish(&lost, outcome("late")).await.unwrap(), Finished::TakenOver);
    let given_up = here.park(&lost, parked(2, Why::Retrying)).await.unwrap();
    assert_eq!(given_up, Released::TakenOver);
    assert_eq!(there.finish(&taken, outcome("in time")).await.unwrap(), Finished::Recorded);
    let late = here.finish(&lost, outcome("late")).await.unwrap();
    assert_eq!(late, Finished::Already(Box::new(outcome("in time"))));
}

pub async fn a_parked_job_goes_on_with_the_copy(place: &Place) {
    let ledger = place.open().await.ledger;
    let first = claim();
    ledger.claim(first.clone()).await.unwrap();
    let next = parked(2, Why::Retrying);
    assert_eq!(ledger.park(&first, next).await.unwrap(), Released::Parked);
    let waits = ledger.get(&first.job_id).await.unwrap().unwrap();
    assert_eq!((waits.status, waits.attempt), (JobStatus::Waiting, 2));
    assert_eq!(waits.why, Some(Why::Retrying));

    assert_eq!(ledger.claim(again(&first)).await.unwrap(), Claimed::Superseded);
    let second = copy(&first, 2);
    assert_eq!(ledger.claim(second.clone()).await.unwrap(), Claimed::Execute);
    assert_eq!(ledger.get(&first.job_id).await.unwrap().unwrap().why, None);
    assert_eq!(ledger.claim(again(&first)).await.unwrap(), Claimed::Superseded);

    // no attempt is spent
    ledger.park(&second, parked(2, Why::Throttled)).await.unwrap();
    let third = copy(&first, 2);
    assert_eq!(ledger.claim(third.clone()).await.unwrap(), Claimed::Execute);
    // the copy may come before the park does
    let fourth = copy(&first, 3);
    assert_eq!(ledger.claim(fourth.clone()).await.unwrap(), Claimed::Execute);
    let given_up = ledger.park(&third, parked(3, Why::Retrying)).await.unwrap();
    assert_eq!(given_up, Released::TakenOver);
    assert_eq!(ledger.finish(&fourth, outcome("done")).await.unwrap(), Finished::Recorded);
}

pub async fn a_call_that_is_repeated_changes_nothing(place: &Place) {
    let ledger = place.open().await.ledger;
    let first = claim();
    for _ in 0..2 {
        assert_eq!(ledger.claim(first.clone()).await.unwrap(), Claimed::Execute);
    }
    for _ in 0..2 {
        let parked = ledger.park(&first, parked(2, Why::Retrying)).await.unwrap();
        assert_eq!(parked, Released::Parked);
    }
    let second = copy(&first, 2);
    for _ in 0..2 {
        assert_eq!(ledger.claim(second.clone()).await.unwrap(), Claimed::Execute);
    }
    for _ in 0..2 {
        assert_eq!(ledger.finish(&second, outcome("done")).await.unwrap(), Finished::Recorded);
    }
    for _ in 0..2 {
        let reopened = ledger.reopen(vec![first.job_id.clone()]).await.unwrap();
        assert_eq!(reopened, std::slice::from_ref(&first.job_id));
    }
}

pub async fn a_reopened_job_can_be_executed_again(place: &Place) {
    let ledger = place.open().await.ledger;
    let (done, runs, absent) = (copy(&claim(), 5), claim(), claim());
    ledger.claim(done.clone()).await.unwrap();
    let failed = Outcome { status: Status::Failed, dead_lettered: true, ..outcome("no") };
    ledger.finish(&done, failed).await.unwrap();
    ledger.claim(runs.clone()).await.unwrap();

    let ids = [&done, &runs, &absent].map(|claim| claim.job_id.clone()).to_vec();
    assert_eq!(ledger.reopen(ids).await.unwrap(), std::slice::from_ref(&done.job_id));
    let open = ledger.get(&done.job_id).await.unwrap().unwrap();
    assert_eq!((open.status, open.attempt, open.why), (JobStatus::Waiting, 1, Some(Why::Reopened)));
    assert_eq!((open.result, open.finished_at, open.dead_lettered), (None, None, false));
    assert_eq!(ledger.claim(copy(&runs, 1)).await.unwrap(), Claimed::Busy, "left alone");

    let replayed = copy(&done, 1);
    assert_eq!(ledger.claim(replayed.clone()).await.unwrap(), Claimed::Execute);
    assert_eq!(ledger.finish(&replayed, outcome("yes")).await.unwrap(), Finished::Recorded);
}

fn attempts() -> Vec<Attempt> {
    let attempt = |number, outcome, code| Attempt {
        number,
        started_at: "2027-01-31T08:30:00.123Z".parse().unwrap(),
        duration_ms: 812,
        outcome,
        code,
    };
    vec![
        attempt(1, AttemptOutcome::Retry, Some(Code::BackendRateLimited)),
        attempt(2, AttemptOutcome::Failed, Some(Code::BackendError)),
    ]
}

pub async fn everything_is_kept_as_it_was_given(place: &Place) {
    let ledger = place.open().await.ledger;
    let moment = |text: &str| text.parse::<Timestamp>().unwrap();
    let given = Claim {
        job_id: "urn:order:17.A_b-9".into(),
        fence: u64::MAX,
        tenant: "acme".into(),
        action: "jira.fetchTickets".into(),
        lane: "bulk".into(),
        enqueued_at: moment("2026-12-31T23:59:59.999Z"),
        ..claim()
    };
    let before = Timestamp::now();
    ledger.claim(given.clone()).await.unwrap();
    let parked = Parked {
        attempt_next: 2,
        why: Why::Scheduled,
        code: Some(Code::LimitExceeded),
        next_at: Some(moment("2027-02-01T00:00:00.001Z")),
        attempts: attempts(),
    };
    ledger.park(&given, parked.clone()).await.unwrap();
    let waits = ledger.get(&given.job_id).await.unwrap().unwrap();
    let slack = Duration::from_secs(60);
    assert!(waits.created_at.since(before) < slack && before.since(waits.created_at) < slack);
    assert_eq!(waits.claimed_at, Some(waits.created_at));
    let expected = JobEntry {
        job_id: given.job_id.clone(),
        tenant: given.tenant.clone(),
        action: given.action.clone(),
        lane: given.lane.clone(),
        status: JobStatus::Waiting,
        attempt: 2,
        why: Some(Why::Scheduled),
        code: parked.code,
        enqueued_at: given.enqueued_at,
        created_at: waits.created_at,
        claimed_at: waits.claimed_at,
        next_at: parked.next_at,
        finished_at: None,
        cost: None,
        dead_lettered: false,
        attempts: attempts(),
        result: None,
    };
    assert_eq!(waits, expected);

    let second = Claim { lane: "default".into(), ..copy(&given, 2) };
    ledger.claim(second.clone()).await.unwrap();
    let cost = Cost { amount: "123456789012.000032000000".into(), currency: "EUR".into() };
    let ended = Outcome {
        status: Status::Expired,
        code: Some(Code::DeadlineExceeded),
        result: Bytes::from_static(b"\0\xff not even text"),
        attempts: attempts(),
        cost: Some(cost),
        dead_lettered: true,
        finished_at: moment("2027-02-01T00:00:00.456Z"),
    };
    ledger.finish(&second, ended.clone()).await.unwrap();
    let replayed = ledger.claim(again(&second)).await.unwrap();
    assert_eq!(replayed, Claimed::Recorded(Box::new(ended.clone())));
    let entry = ledger.get(&given.job_id).await.unwrap().unwrap();
    assert_eq!(entry.status, JobStatus::Finished(Status::Expired));
    assert_eq!((entry.lane.as_str(), entry.why, entry.next_at), ("default", None, None));
    assert_eq!((entry.result, entry.cost), (Some(ended.result), ended.cost));
    assert_eq!(entry.finished_at, Some(ended.finished_at));
}

pub async fn what_does_not_fit_is_refused_by_name(place: &Place) {
    let ledger = place.open().await.ledger;
    let invalid = |result: Result<Claimed, StoreError>, name: &str| {
        let error = result.unwrap_err();
        assert!(matches!(&error, StoreError::Invalid { field, .. } if *field == name), "{error}");
    };
    let good = claim();
    let with = |change: &dyn Fn(&mut Claim)| {
        let mut claim = good.clone();
        change(&mut claim);
        claim
    };
    for (field, bad) in [
        ("job_id", with(&|claim| claim.job_id = "x".repeat(129))),
        ("job_id", with(&|claim| claim.job_id = "a b".into())),
        ("tenant", with(&|claim| claim.tenant = String::new())),
        ("action", with(&|claim| claim.action = "e\0cho".into())),
        ("lane", with(&|claim| claim.lane = "a.b".into())),
        ("attempt", with(&|claim| claim.attempt = 0)),
    ] {
        invalid(ledger.claim(bad).await, field);
    }
    ledger.claim(good.clone()).await.unwrap();
    for amount in ["", "1e5", "-1", "1.", "0.0000000000001", "1234567890123"] {
        let cost = Some(Cost { amount: amount.into(), currency: "USD".into() });
        let error = ledger.finish(&good, Outcome { cost, ..outcome("x") }).await.unwrap_err();
        assert!(error.to_string().contains("cost"), "{error}");
    }
}

pub async fn big_results_come_back_whole(place: &Place) {
    let ledger = place.open().await.ledger;
    let result = Bytes::from(vec![7; 20 * 1024 * 1024]);
    let first = claim();
    ledger.claim(first.clone()).await.unwrap();
    let big = Outcome { result: result.clone(), ..outcome("") };
    assert_eq!(ledger.finish(&first, big).await.unwrap(), Finished::Recorded);
    assert!(ledger.get(&first.job_id).await.unwrap().unwrap().result == Some(result));
}

pub async fn an_old_day_goes_and_a_new_one_comes(place: &Place) {
    let (ledger, other) = (place.open().await.ledger, place.open().await.ledger);
    let jobs: Vec<_> = (0..5).map(|_| claim()).collect();
    for job in &jobs {
        ledger.claim(job.clone()).await.unwrap();
    }
    let now = Timestamp::now();
    assert_eq!(ledger.expire(now).await.unwrap(), 0, "today stays");
    assert!(ledger.get(&jobs[0].job_id).await.unwrap().is_some());
    let tomorrow = now.after(Duration::from_secs(25 * 60 * 60));
    assert_eq!(ledger.expire(tomorrow).await.unwrap(), 5);
    assert_eq!(ledger.get(&jobs[0].job_id).await.unwrap(), None);
    // both find a place for new jobs, and for the outcome of one whose row is gone
    assert_eq!(ledger.finish(&jobs[0], outcome("done")).await.unwrap(), Finished::Recorded);
    assert_eq!(other.claim(jobs[1].clone()).await.unwrap(), Claimed::Execute);
}
