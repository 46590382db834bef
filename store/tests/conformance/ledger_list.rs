use std::collections::BTreeSet;

use actionfleet_proto::{Code, Status, Timestamp};
use actionfleet_store::{Claim, JobCursor, JobFilter, JobStatus, Ledger, Outcome, StoreError, Why};

use crate::place::{Place, claim, outcome, parked};

async fn finished(ledger: &dyn Ledger, claim: Claim, ended: Outcome) -> String {
    ledger.claim(claim.clone()).await.unwrap();
    ledger.finish(&claim, ended).await.unwrap();
    claim.job_id
}

pub async fn jobs_are_found_by_each_criterion(place: &Place) {
    let ledger = place.open().await.ledger;
    let ledger = &*ledger;
    let moment = |seconds| Timestamp::from_unix_seconds(seconds).unwrap();
    let failed = |code| Outcome { status: Status::Failed, code: Some(code), ..outcome("") };
    let early = Outcome { finished_at: moment(1_700_000_000), ..outcome("") };
    let done = finished(ledger, claim(), early).await;
    let acme = Claim { tenant: "acme".into(), ..claim() };
    let broke = finished(ledger, acme, failed(Code::BackendError)).await;
    let other = Claim { action: "sleep".into(), ..claim() };
    let limited = finished(ledger, other, failed(Code::LimitExceeded)).await;
    let (runs, waits) = (claim(), claim());
    ledger.claim(runs.clone()).await.unwrap();
    ledger.claim(waits.clone()).await.unwrap();
    ledger.park(&waits, parked(2, Why::Retrying)).await.unwrap();
    let (runs, waits) = (runs.job_id, waits.job_id);

    let all = JobFilter::default();
    let status = |status| JobFilter { status: Some(status), ..JobFilter::default() };
    for (name, filter, expected) in [
        ("all", all.clone(), vec![&done, &broke, &limited, &runs, &waits]),
        ("tenant", JobFilter { tenant: Some("acme".into()), ..all.clone() }, vec![&broke]),
        ("action", JobFilter { action: Some("sleep".into()), ..all.clone() }, vec![&limited]),
        ("running", status(JobStatus::Running), vec![&runs]),
        ("waiting", status(JobStatus::Waiting), vec![&waits]),
        ("succeeded", status(JobStatus::Finished(Status::Succeeded)), vec![&done]),
        ("failed", status(JobStatus::Finished(Status::Failed)), vec![&broke, &limited]),
        ("expired", status(JobStatus::Finished(Status::Expired)), vec![]),
        ("code", JobFilter { code: Some(Code::BackendError), ..all.clone() }, vec![&broke]),
        (
            "created",
            JobFilter { created_from: Some(moment(1_700_000_000)), ..all.clone() },
            vec![&done, &broke, &limited, &runs, &waits],
        ),
        (
            "not created",
            JobFilter { created_to: Some(moment(1_700_000_000)), ..all.clone() },
            vec![],
        ),
        (
            "finished before",
            JobFilter { finished_to: Some(moment(1_700_000_001)), ..all.clone() },
            vec![&done],
        ),
        (
            "finished from",
            JobFilter { finished_from: Some(moment(1_700_000_000)), ..all.clone() },
            vec![&done, &broke, &limited],
        ),
        (
            "several",
            JobFilter {
                tenant: Some("default".into()),
                code: Some(Code::LimitExceeded),
                ..status(JobStatus::Finished(Status::Failed))
            },
            vec![&limited],
        ),
    ] {
        let page = ledger.find(&filter).await.unwrap();
        let found: BTreeSet<&String> = page.jobs.iter().map(|job| &job.job_id).collect();
        assert_eq!(found, expected.into_iter().collect(), "{name}");
        assert_eq!(page.next, None, "{name}");
        assert!(page.jobs.iter().all(|job| job.result.is_none()), "{name}");
    }
}

pub async fn pages_have_every_job_once(place: &Place) {
    let ledger = place.open().await.ledger;
    let claims: Vec<Claim> = (0..25).map(|_| claim()).collect();
    for claim in &claims {
        ledger.claim(claim.clone()).await.unwrap();
    }
    let mut filter = JobFilter { limit: Some(10), ..JobFilter::default() };
    let (mut seen, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let page = ledger.find(&filter).await.unwrap();
        sizes.push(page.jobs.len());
        let places = page.jobs.into_iter().map(|job| (job.created_at, job.job_id));
        seen.extend(places);
        // what comes meanwhile is newer, and moves nothing
        ledger.claim(claim()).await.unwrap();
        match page.next {
            Some(next) => filter.after = Some(next),
            None => break,
        }
    }
    assert_eq!(sizes, [10, 10, 5]);
    assert!(seen.is_sorted_by(|one, next| one > next), "newest first: {seen:?}");
    let ids: BTreeSet<String> = seen.into_iter().map(|(_, id)| id).collect();
    assert_eq!(ids, claims.into_iter().map(|claim| claim.job_id).collect());
}

pub async fn pages_without_sense_are_refused(place: &Place) {
    let ledger = place.open().await.ledger;
    let now = Timestamp::now();
    let before = Timestamp::from_unix_seconds(1).unwrap();
    for (field, filter) in [
        ("limit", JobFilter { limit: Some(0), ..JobFilter::default() }),
        ("limit", JobFilter { limit: Some(1001), ..JobFilter::default() }),
        (
            "created_from",
            JobFilter { created_from: Some(now), created_to: Some(before), ..JobFilter::default() },
        ),
        (
            "finished_from",
            JobFilter {
                finished_from: Some(now),
                finished_to: Some(before),
                ..JobFilter::default()
            },
        ),
    ] {
        let error = ledger.find(&filter).await.unwrap_err();
        assert!(
            matches!(&error, StoreError::Invalid { field: named, .. } if *named == field),
            "{error}"
        );
    }
    let nowhere = JobCursor { created_at: before, job_id: "' or true --".into() };
    let page = ledger.find(&JobFilter { after: Some(nowhere), ..JobFilter::default() }).await;
    assert_eq!(page.unwrap().jobs, []);
}
