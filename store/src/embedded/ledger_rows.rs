//! All statements of the ledger.

use std::collections::HashMap;

use actionfleet_proto::{Code, Cost};
use rusqlite::{
    Connection, OptionalExtension, Row as SqlRow, params, params_from_iter, types::ToSql,
};

use crate::{
    ledger::{Changes, Row, code_of, from_millis, millis, search, status_of, why_of},
    port::{JobEntry, JobFilter, Why},
    sql::{Dialect, Value},
};

/// Without what comes behind the result, which a list does not read through.
const COLUMNS: &str = "job_id, tenant, action, lane, status, attempt, fence, why, code, \
    enqueued_at, created_at, claimed_at, next_at, finished_at, cost, currency, dead_lettered, attempts";

pub(super) fn load(
    connection: &Connection,
    job_ids: &[&str],
) -> rusqlite::Result<HashMap<String, Row>> {
    let mut rows = HashMap::with_capacity(job_ids.len());
    for job_id in job_ids {
        if let Some(row) = get(connection, job_id)? {
            rows.insert((*job_id).to_owned(), row);
        }
    }
    Ok(rows)
}

pub(super) fn get(connection: &Connection, job_id: &str) -> rusqlite::Result<Option<Row>> {
    let text = format!("select {COLUMNS}, result, sent_at from jobs where job_id = ?1");
    let mut statement = connection.prepare_cached(&text)?;
    let whole = |row: &SqlRow<'_>| {
        let mut read = read(row)?;
        read.sent_at = row.get::<_, Option<i64>>("sent_at")?.map(from_millis);
        read.entry.result = row.get::<_, Option<Vec<u8>>>("result")?.map(Into::into);
        Ok(read)
    };
    statement.query_row([job_id], whole).optional()
}

pub(super) fn store(connection: &Connection, changes: &Changes) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "insert into jobs (job_id, status, attempt, fence, why, code, claimed_at, next_at, \
         finished_at, cost, currency, dead_lettered, attempts, result, lane, \
         sent_at, tenant, action, enqueued_at, created_at) values \
         (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, \
         ?20)",
    )?;
    for row in &changes.inserts {
        let entry = &row.entry;
        let rest = params![
            entry.tenant,
            entry.action,
            millis(entry.enqueued_at),
            millis(entry.created_at)
        ];
        bound(row, |mutable| insert.execute(&[mutable, rest].concat()[..]))?;
    }
    let mut update = connection.prepare_cached(
        "update jobs set status = ?2, attempt = ?3, fence = ?4, why = ?5, code = ?6, \
         claimed_at = ?7, next_at = ?8, finished_at = ?9, cost = ?10, currency = ?11, \
         dead_lettered = ?12, attempts = ?13, result = ?14, lane = ?15, \
         sent_at = ?16 where job_id = ?1",
    )?;
    for row in &changes.updates {
        bound(row, |mutable| update.execute(mutable))?;
    }
    Ok(())
}

/// The id, and what changes over a job's life.
fn bound(
    row: &Row,
    execute: impl FnOnce(&[&dyn ToSql]) -> rusqlite::Result<usize>,
) -> rusqlite::Result<usize> {
    let Row { entry, fence, sent_at } = row;
    let attempts = serde_json::to_string(&entry.attempts).unwrap_or_default();
    execute(params![
        entry.job_id,
        entry.status.as_str(),
        entry.attempt,
        fence.cast_signed(),
        entry.why.map(Why::as_str),
        entry.code.map(Code::as_str),
        entry.claimed_at.map(millis),
        entry.next_at.map(millis),
        entry.finished_at.map(millis),
        entry.cost.as_ref().map(|cost| &cost.amount),
        entry.cost.as_ref().map(|cost| &cost.currency),
        entry.dead_lettered,
        attempts,
        entry.result.as_deref(),
        entry.lane,
        sent_at.map(millis),
    ])
}

pub(super) fn find(
    connection: &Connection,
    filter: &JobFilter,
    limit: u32,
) -> rusqlite::Result<Vec<JobEntry>> {
    let sql = search(Dialect::Sqlite, COLUMNS, filter, limit);
    let mut statement = connection.prepare_cached(sql.text())?;
    let found = statement.query_map(params_from_iter(sql.values()), |row| Ok(read(row)?.entry))?;
    found.collect()
}

/// A bounded number of rows, so that no other write waits long; yields how many there were.
pub(super) fn expire(
    connection: &Connection,
    before: i64,
    at_most: u32,
) -> rusqlite::Result<usize> {
    let mut statement = connection.prepare_cached(
        "delete from jobs where rowid in \
         (select rowid from jobs where created_at < ?1 order by created_at limit ?2)",
    )?;
    statement.execute(params![before, at_most])
}

fn read(row: &SqlRow<'_>) -> rusqlite::Result<Row> {
    let moment = |column: &str| -> rusqlite::Result<_> {
        Ok(row.get::<_, Option<i64>>(column)?.map(from_millis))
    };
    let text = |column: &str| row.get::<_, Option<String>>(column);
    let attempts: String = row.get("attempts")?;
    let entry = JobEntry {
        job_id: row.get("job_id")?,
        tenant: row.get("tenant")?,
        action: row.get("action")?,
        lane: row.get("lane")?,
        status: status_of(&row.get::<_, String>("status")?),
        attempt: row.get("attempt")?,
        why: why_of(text("why")?.as_deref()),
        code: code_of(text("code")?.as_deref()),
        enqueued_at: from_millis(row.get("enqueued_at")?),
        created_at: from_millis(row.get("created_at")?),
        claimed_at: moment("claimed_at")?,
        next_at: moment("next_at")?,
        finished_at: moment("finished_at")?,
        cost: text("cost")?
            .zip(text("currency")?)
            .map(|(amount, currency)| Cost { amount, currency }),
        dead_lettered: row.get("dead_lettered")?,
        attempts: serde_json::from_str(&attempts).unwrap_or_default(),
        result: None,
    };
    Ok(Row { entry, fence: row.get::<_, i64>("fence")?.cast_unsigned(), sent_at: None })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        match self {
            Self::Text(text) => text.to_sql(),
            Self::Integer(number) | Self::Moment(number) => number.to_sql(),
            Self::Day(day) => day.to_sql(),
            Self::Bool(is) => is.to_sql(),
        }
    }
}
