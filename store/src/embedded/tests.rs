use std::sync::Arc;

use actionfleet_proto::{Status, Timestamp, new_job_id};
use bytes::Bytes;
use rusqlite::params_from_iter;
use tempfile::TempDir;

use super::Embedded;
use crate::{
    catalog::{count, search as search_entries},
    config::StoreConfig,
    error::StoreError,
    ledger::search,
    port::{
        Claim, Claimed, Criterion, Finished, JobCursor, JobFilter, JobStatus, Ledger as _, Outcome,
        Query, Sort, SortField,
    },
    sql::{Dialect, Statement},
};

async fn engine() -> (TempDir, Arc<Embedded>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let engine = Embedded::open(path, &StoreConfig::new("")).await.unwrap();
    (folder, engine)
}

fn claim() -> Claim {
    Claim {
        job_id: new_job_id(),
        attempt: 1,
        redelivered: false,
        sent_at: None,
        released: None,
        longest: std::time::Duration::MAX,
        fence: 1,
        tenant: "default".into(),
        action: "echo".into(),
        lane: "default".into(),
        enqueued_at: Timestamp::now(),
    }
}

fn outcome() -> Outcome {
    Outcome {
        status: Status::Succeeded,
        code: None,
        result: Bytes::from(vec![1; 10_000]),
        attempts: Vec::new(),
        cost: None,
        dead_lettered: false,
        finished_at: Timestamp::from_unix_seconds(1_800_000_000).unwrap(),
    }
}

/// A limit on pages is what `SQLite` has to stand for a disk.
async fn limit_pages(engine: &Embedded, more: Option<i64>) {
    let limit = move |transaction: &rusqlite::Transaction<'_>| {
        let pages: i64 = transaction.query_row("pragma page_count", [], |row| row.get(0)).unwrap();
        let limit = more.map_or(1_000_000, |more| pages + more);
        transaction.query_row(&format!("pragma max_page_count = {limit}"), [], |_| Ok(())).unwrap();
        Ok(())
    };
    engine.writer.write(limit).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_loses_nothing_that_was_confirmed() {
    let (_folder, engine) = engine().await;
    limit_pages(&engine, Some(100)).await;
    let mut recorded = Vec::new();
    let error = loop {
        let next = claim();
        match engine.claim(next.clone()).await {
            Ok(_) => {}
            Err(error) => break error,
        }
        match engine.finish(&next, outcome()).await {
            Ok(_) => recorded.push(next),
            Err(error) => break error,
        }
    };
    assert!(matches!(&error, StoreError::Full(text) if text.contains("store.db")), "{error}");
    assert!(recorded.len() > 10);
    for claim in &recorded {
        let again = Claim { redelivered: true, ..claim.clone() };
        let recorded = Claimed::Recorded(Box::new(outcome()));
        assert_eq!(engine.claim(again).await.unwrap(), recorded);
    }
    limit_pages(&engine, None).await;
    let next = claim();
    engine.claim(next.clone()).await.unwrap();
    assert_eq!(engine.finish(&next, outcome()).await.unwrap(), Finished::Recorded);
}

async fn plan(engine: &Embedded, sql: Statement) -> String {
    let explain = move |connection: &rusqlite::Connection| {
        let text = format!("explain query plan {}", sql.text());
        let mut statement = connection.prepare(&text)?;
        let lines = statement
            .query_map(params_from_iter(sql.values()), |row| row.get::<_, String>("detail"))?;
        lines.collect::<rusqlite::Result<Vec<_>>>()
    };
    engine.readers.read(explain).await.unwrap().join("\n")
}

#[tokio::test]
async fn every_page_goes_by_an_index() {
    let (_folder, engine) = engine().await;
    let at = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
    let after = Some(JobCursor { created_at: at, job_id: "x".into() });
    let failed = Some(JobStatus::Finished(Status::Failed));
    let all = JobFilter::default();
    for (filter, index) in [
        (all.clone(), "jobs_created"),
        (JobFilter { after, created_from: Some(at), ..all.clone() }, "jobs_created"),
        (JobFilter { tenant: Some("a".into()), ..all.clone() }, "jobs_tenant"),
        (JobFilter { status: failed, ..all.clone() }, "jobs_status"),
        (JobFilter { code: Some(actionfleet_proto::Code::Internal), ..all }, "jobs_code"),
    ] {
        let plan = plan(&engine, search(Dialect::Sqlite, "job_id", &filter, 50)).await;
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{filter:?}: {plan}");
    }
    let named = Criterion::NameContains { language: "eng-GB".into(), text: "x".into() };
    for (criterion, by, index) in [
        (Criterion::All(vec![]), SortField::Identifier, "catalog_identifier"),
        (Criterion::Identifier("x".into()), SortField::Identifier, "catalog_identifier"),
        (named, SortField::Identifier, "catalog_identifier"),
        (Criterion::All(vec![]), SortField::Updated, "catalog_updated"),
    ] {
        let sort = Sort { by, direction: crate::port::Direction::Descending };
        let query = Query { criterion, sort, ..Query::default() };
        let plan = plan(&engine, search_entries(Dialect::Sqlite, "e.id", &query)).await;
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{query:?}: {plan}");
    }
    let counted = plan(&engine, count(Dialect::Sqlite, &Query::default())).await;
    assert!(counted.contains("INDEX"), "{counted}");
}
