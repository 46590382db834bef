//! Every statement that runs for each job or each page goes by an index.

use std::sync::Arc;

use actionfleet_local::Postgres as Server;
use actionfleet_proto::{Code, Status, Timestamp};

use super::{
    Postgres,
    bind::bound,
    catalog_rows,
    ledger_rows::{CLAIM, COLUMNS, GET, INSERT, LOCK, SETTLE, UPDATE},
};
use crate::{
    catalog::{count, search as search_entries},
    config::StoreConfig,
    ledger::search,
    port::{Criterion, Direction, JobCursor, JobFilter, JobStatus, Query, Sort, SortField},
    sql::{Dialect, Statement},
};

/// Some days of jobs, as they would be.
const FILL: &str = "
    select make_jobs_day((now() at time zone 'UTC')::date - number)
        from generate_series(1, 5) as number;
    insert into jobs (job_id, day, tenant, action, lane, status, attempt, fence, code, enqueued_at,
        created_at, claimed_at, finished_at, dead_lettered, attempts, result)
    select 'job-' || number, created::date, 'tenant-' || number % 20, 'echo', 'default',
        case when number % 100 = 0 then 'failed' else 'succeeded' end, 1, number,
        case when number % 100 = 0 then 'internal' end, created, created, created, created, false,
        '[]', '\\x01'
    from (select number, (now() at time zone 'UTC')::date - number % 5 + interval '1 ms' * number
        as created from generate_series(0, 30000) as number) as jobs;
    insert into catalog (tenant, kind, identifier, version, enabled, texts, document, created_at,
        updated_at)
    select 'tenant-' || number % 20, 'provider', 'entry-' || number, 1, true, '{}', '{}', now(),
        now() from generate_series(0, 5000) as number;
    insert into catalog_names select id, 'eng-GB', identifier from catalog;
    analyze jobs, catalog, catalog_names";

async fn engine() -> Arc<Postgres> {
    let url = Server::shared().await.unwrap().database().await.unwrap();
    let engine = Postgres::open(&url, &StoreConfig::new("")).await.unwrap();
    let session = engine.pool.session().await.unwrap();
    session.client().unwrap().batch_execute(FILL).await.unwrap();
    engine
}

async fn plan(engine: &Postgres, sql: &Statement) -> String {
    let session = engine.pool.session().await.unwrap();
    let client = session.client().unwrap();
    let text = format!("explain {}", sql.text());
    let rows = client.query(&text, &bound(sql)).await.unwrap();
    rows.iter().map(|row| row.get::<_, String>(0) + "\n").collect()
}

/// Of a prepared statement, whatever its values are.
async fn generic_plan(engine: &Postgres, sql: &str, parameters: usize, settings: &str) -> String {
    let session = engine.pool.session().await.unwrap();
    let client = session.client().unwrap();
    let nulls = vec!["null"; parameters].join(", ");
    let prepare = format!(
        "set plan_cache_mode to force_generic_plan; {settings}; prepare explained as {sql}"
    );
    client.batch_execute(&prepare).await.unwrap();
    let text = format!("explain execute explained ({nulls})");
    let rows = client.simple_query(&text).await.unwrap();
    let line = |message: &tokio_postgres::SimpleQueryMessage| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(|line| format!("{line}\n")),
        _ => None,
    };
    rows.iter().filter_map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_for_each_job_goes_by_an_index() {
    let engine = engine().await;
    let lane = "set enable_hashjoin to off; set enable_mergejoin to off";
    for (name, sql, parameters, settings) in [
        ("lock", LOCK, 1, lane),
        ("update", UPDATE, 17, lane),
        ("claim", CLAIM, 9, lane),
        ("settle", SETTLE, 14, lane),
        ("get", GET, 1, ""),
    ] {
        let plan = generic_plan(&engine, sql, parameters, settings).await;
        assert!(plan.contains("_pkey"), "{name}: {plan}");
        assert!(!plan.contains("Seq Scan"), "{name}: {plan}");
    }
    for (sql, parameters) in [(INSERT, 21), (CLAIM, 9)] {
        let insert = generic_plan(&engine, sql, parameters, lane).await;
        assert!(insert.contains("Conflict Arbiter Indexes"), "{insert}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_jobs_goes_by_an_index() {
    let engine = engine().await;
    let now = Timestamp::now();
    let after = Some(JobCursor { created_at: now, job_id: "x".into() });
    let failed = Some(JobStatus::Finished(Status::Failed));
    let all = JobFilter::default();
    for (filter, index) in [
        (all.clone(), "_created_at_job_id_idx"),
        (JobFilter { after, ..all.clone() }, "_created_at_job_id_idx"),
        (JobFilter { created_from: Some(now), ..all.clone() }, "_created_at_job_id_idx"),
        (JobFilter { tenant: Some("tenant-7".into()), ..all.clone() }, "_tenant_created_at_job_id"),
        (JobFilter { status: failed, ..all.clone() }, "_status_created_at_job_id"),
        (JobFilter { status: Some(JobStatus::Running), ..all.clone() }, "_status_created_at"),
        (JobFilter { code: Some(Code::Internal), ..all.clone() }, "_code_created_at_job_id"),
    ] {
        let plan = plan(&engine, &search(Dialect::Postgres, COLUMNS, &filter, 50)).await;
        assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{filter:?}: {plan}");
    }
    // of six days and more, two are looked at
    let recent = JobFilter { created_from: Some(now), ..all };
    let plan = plan(&engine, &search(Dialect::Postgres, COLUMNS, &recent, 50)).await;
    let yesterday = "select 'jobs_' || to_char((now() at time zone 'UTC')::date - 1, 'YYYYMMDD')";
    let session = engine.pool.session().await.unwrap();
    let yesterday = session.client().unwrap().query_one(yesterday, &[]).await.unwrap();
    assert!(!plan.contains(yesterday.get::<_, &str>(0)), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_the_catalog_goes_by_an_index() {
    let engine = engine().await;
    let named = Criterion::NameContains { language: "eng-GB".into(), text: "x".into() };
    let key = Criterion::All(vec![
        Criterion::Tenant("tenant-1".into()),
        Criterion::Identifier("entry-1".into()),
    ]);
    for (criterion, by) in [
        (Criterion::All(vec![]), SortField::Identifier),
        (Criterion::All(vec![]), SortField::Updated),
        (Criterion::All(vec![]), SortField::Id),
        (key, SortField::Identifier),
        (named, SortField::Identifier),
    ] {
        let sort = Sort { by, direction: Direction::Descending };
        let query = Query { criterion, sort, ..Query::default() };
        let plan =
            plan(&engine, &search_entries(Dialect::Postgres, catalog_rows::COLUMNS, &query)).await;
        assert!(
            plan.contains("Index") && !plan.contains("Seq Scan on catalog e"),
            "{query:?}: {plan}"
        );
        assert!(!plan.contains("Sort"), "{query:?}: {plan}");
    }
    let one = Query { criterion: Criterion::Identifier("entry-1".into()), ..Query::default() };
    let counted = plan(&engine, &count(Dialect::Postgres, &one)).await;
    assert!(counted.contains("catalog_identifier"), "{counted}");
}
