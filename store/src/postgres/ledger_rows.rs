//! All statements of the ledger.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use actionfleet_proto::{Code, Cost, Timestamp};
use tokio_postgres::{Client, Error, Row as SqlRow, Statement, types::ToSql};

use super::day::Day;
use crate::{
    ledger::{Row, code_of, from_millis, millis, status_of, why_of},
    port::{JobEntry, Why},
};

macro_rules! columns {
    () => {
        "job_id, tenant, action, lane, status, attempt, fence, why, code, enqueued_at, created_at, \
         claimed_at, next_at, finished_at, cost::text as cost, currency, dead_lettered, \
         attempts::text as attempts, sent_at"
    };
}

pub(super) const COLUMNS: &str = columns!();

/// In the order of ids, as every transaction locks them.
pub(super) const LOCK: &str = concat!(
    "select ",
    columns!(),
    ", result from jobs where job_id = any($1) order by job_id for update"
);

pub(super) const GET: &str =
    concat!("select ", columns!(), ", result from jobs where job_id = $1 limit 1");

/// Yields what was not there before.
pub(super) const INSERT: &str = "insert into jobs (job_id, day, status, attempt, fence, why, code, \
     claimed_at, next_at, finished_at, cost, currency, dead_lettered, attempts, result, lane, \
     sent_at, tenant, action, enqueued_at, created_at) \
     select u.job_id, date '1970-01-01' + u.day, u.status, u.attempt, u.fence, u.why, u.code, \
     u.claimed_at, u.next_at, u.finished_at, u.cost::numeric, u.currency, u.dead_lettered, \
     u.attempts::json, u.result, u.lane, u.sent_at, u.tenant, u.action, u.enqueued_at, u.created_at \
     from unnest($1::text[], $2::int[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], \
     $7::text[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::text[], \
     $12::text[], $13::bool[], $14::text[], $15::bytea[], $16::text[], \
     $17::timestamptz[], $18::text[], $19::text[], $20::timestamptz[], $21::timestamptz[]) \
     as u(job_id, day, status, attempt, fence, why, code, claimed_at, next_at, finished_at, cost, \
     currency, dead_lettered, attempts, result, lane, sent_at, tenant, action, enqueued_at, \
     created_at) on conflict (job_id, day) do nothing returning job_id";

pub(super) const UPDATE: &str = "update jobs set status = u.status, attempt = u.attempt, \
     fence = u.fence, why = u.why, code = u.code, claimed_at = u.claimed_at, next_at = u.next_at, \
     finished_at = u.finished_at, cost = u.cost::numeric, currency = u.currency, \
     dead_lettered = u.dead_lettered, attempts = u.attempts::json, result = u.result, \
     lane = u.lane, sent_at = u.sent_at \
     from unnest($1::text[], $2::int[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], \
     $7::text[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::text[], \
     $12::text[], $13::bool[], $14::text[], $15::bytea[], $16::text[], $17::timestamptz[]) \
     as u(job_id, day, status, attempt, fence, why, code, claimed_at, next_at, finished_at, cost, \
     currency, dead_lettered, attempts, result, lane, sent_at) \
     where jobs.job_id = u.job_id and jobs.day = date '1970-01-01' + u.day";

/// Adds first claims, and yields those of jobs that are on no day. The other days are asked once, for
/// all of them; of this one, the conflict tells.
pub(super) const CLAIM: &str = "insert into jobs (job_id, day, status, attempt, fence, claimed_at, \
     dead_lettered, attempts, lane, tenant, action, enqueued_at, sent_at, created_at) \
     select u.job_id, date '1970-01-01' + $1::int, 'running', 1, u.fence, $2::timestamptz, false, \
     '[]', u.lane, u.tenant, u.action, u.enqueued_at, u.sent_at, $2::timestamptz \
     from unnest($3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], \
     $9::timestamptz[]) as u(job_id, fence, lane, tenant, action, enqueued_at, sent_at) \
     where u.job_id <> all (array( \
     select job_id from jobs where job_id = any($3) and day < date '1970-01-01' + $1::int \
     union all \
     select job_id from jobs where job_id = any($3) and day >= date '1970-01-02' + $1::int)) \
     on conflict (job_id, day) do nothing returning job_id";

/// Ends or parks what is held, and yields what was. `coalesce` keeps the planner from the index of
/// states, which has every job that ever ran until it is vacuumed.
pub(super) const SETTLE: &str = "update jobs set status = u.status, attempt = u.attempt, \
     why = u.why, code = u.code, next_at = u.next_at, finished_at = u.finished_at, \
     cost = u.cost::numeric, currency = u.currency, dead_lettered = u.dead_lettered, \
     attempts = u.attempts::json, result = u.result \
     from unnest($1::text[], $2::int[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], \
     $7::text[], $8::timestamptz[], $9::timestamptz[], $10::text[], $11::text[], $12::bool[], \
     $13::text[], $14::bytea[]) as u(job_id, day, status, attempt, fence, why, code, next_at, \
     finished_at, cost, currency, dead_lettered, attempts, result) \
     where jobs.job_id = u.job_id and jobs.day = date '1970-01-01' + u.day \
     and jobs.fence = u.fence and coalesce(jobs.status) = 'running' returning jobs.job_id";

/// What changes over a job's life, a list for each column.
#[derive(Default)]
struct Lists<'a> {
    job_id: Vec<&'a str>,
    day: Vec<i32>,
    status: Vec<&'static str>,
    attempt: Vec<i64>,
    fence: Vec<i64>,
    why: Vec<Option<&'static str>>,
    code: Vec<Option<&'static str>>,
    claimed_at: Vec<Option<SystemTime>>,
    next_at: Vec<Option<SystemTime>>,
    finished_at: Vec<Option<SystemTime>>,
    cost: Vec<Option<&'a str>>,
    currency: Vec<Option<&'a str>>,
    dead_lettered: Vec<bool>,
    attempts: Vec<String>,
    result: Vec<Option<&'a [u8]>>,
    lane: Vec<&'a str>,
    sent_at: Vec<Option<SystemTime>>,
}

impl<'a> Lists<'a> {
    fn push(&mut self, Row { entry, fence, sent_at }: &'a Row, day: Day) {
        self.job_id.push(&entry.job_id);
        self.day.push(day.0);
        self.status.push(entry.status.as_str());
        self.attempt.push(i64::from(entry.attempt));
        self.fence.push(fence.cast_signed());
        self.why.push(entry.why.map(Why::as_str));
        self.code.push(entry.code.map(Code::as_str));
        self.claimed_at.push(entry.claimed_at.map(moment));
        self.next_at.push(entry.next_at.map(moment));
        self.finished_at.push(entry.finished_at.map(moment));
        self.cost.push(entry.cost.as_ref().map(|cost| cost.amount.as_str()));
        self.currency.push(entry.cost.as_ref().map(|cost| cost.currency.as_str()));
        self.dead_lettered.push(entry.dead_lettered);
        self.attempts.push(serde_json::to_string(&entry.attempts).unwrap_or_default());
        self.result.push(entry.result.as_deref());
        self.lane.push(&entry.lane);
        self.sent_at.push(sent_at.map(moment));
    }

    fn bound(&self) -> [&(dyn ToSql + Sync); 17] {
        [
            &self.job_id,
            &self.day,
            &self.status,
            &self.attempt,
            &self.fence,
            &self.why,
            &self.code,
            &self.claimed_at,
            &self.next_at,
            &self.finished_at,
            &self.cost,
            &self.currency,
            &self.dead_lettered,
            &self.attempts,
            &self.result,
            &self.lane,
            &self.sent_at,
        ]
    }
}

/// Yields the ids that were there before.
pub(super) async fn insert(
    client: &Client,
    statement: &Statement,
    rows: &[Row],
    day: Day,
) -> Result<BTreeSet<String>, Error> {
    if rows.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut lists = Lists::default();
    let (mut tenants, mut actions) = (Vec::new(), Vec::new());
    let (mut enqueued, mut created) = (Vec::new(), Vec::new());
    for row in rows {
        lists.push(row, day);
        tenants.push(&*row.entry.tenant);
        actions.push(&*row.entry.action);
        enqueued.push(moment(row.entry.enqueued_at));
        created.push(moment(row.entry.created_at));
    }
    let mut bound = lists.bound().to_vec();
    let rest: [&(dyn ToSql + Sync); 4] = [&tenants, &actions, &enqueued, &created];
    bound.extend(rest);
    Ok(missing(rows, &client.query(statement, &bound).await?))
}

pub(super) async fn update(
    client: &Client,
    statement: &Statement,
    rows: &[Row],
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut lists = Lists::default();
    for row in rows {
        lists.push(row, Day::of(millis(row.entry.created_at)));
    }
    client.execute(statement, &lists.bound()).await.map(drop)
}

/// Yields the ids that were on some day before.
pub(super) async fn claim(
    client: &Client,
    statement: &Statement,
    rows: &[Row],
    day: Day,
) -> Result<BTreeSet<String>, Error> {
    let Some(first) = rows.first() else { return Ok(BTreeSet::new()) };
    let now = moment(first.entry.created_at);
    let list =
        |of: fn(&JobEntry) -> &str| rows.iter().map(|row| of(&row.entry)).collect::<Vec<_>>();
    let job_ids = list(|entry| &entry.job_id);
    let lanes = list(|entry| &entry.lane);
    let tenants = list(|entry| &entry.tenant);
    let actions = list(|entry| &entry.action);
    let fences: Vec<i64> = rows.iter().map(|row| row.fence.cast_signed()).collect();
    let enqueued: Vec<_> = rows.iter().map(|row| moment(row.entry.enqueued_at)).collect();
    let sent: Vec<_> = rows.iter().map(|row| row.sent_at.map(moment)).collect();
    let bound: [&(dyn ToSql + Sync); 9] =
        [&day.0, &now, &job_ids, &fences, &lanes, &tenants, &actions, &enqueued, &sent];
    Ok(missing(rows, &client.query(statement, &bound).await?))
}

/// Yields the ids of those that were not held by the row's fence, on this day.
pub(super) async fn settle(
    client: &Client,
    statement: &Statement,
    rows: &[Row],
    day: Day,
) -> Result<BTreeSet<String>, Error> {
    if rows.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut lists = Lists::default();
    for row in rows {
        lists.push(row, day);
    }
    let [job_id, day, status, attempt, fence, why, code, _, rest @ .., _, _] = lists.bound();
    let mut bound = vec![job_id, day, status, attempt, fence, why, code];
    bound.extend(rest);
    Ok(missing(rows, &client.query(statement, &bound).await?))
}

/// The ids of rows that a statement did not yield.
fn missing(rows: &[Row], yielded: &[SqlRow]) -> BTreeSet<String> {
    if rows.len() == yielded.len() {
        return BTreeSet::new();
    }
    let yielded: BTreeSet<&str> = yielded.iter().map(|row| row.get(0)).collect();
    let ids = rows.iter().map(|row| &row.entry.job_id);
    ids.filter(|id| !yielded.contains(&***id)).cloned().collect()
}

pub(super) fn read_whole(row: &SqlRow) -> Row {
    let mut read = read(row);
    read.entry.result = row.get::<_, Option<Vec<u8>>>("result").map(Into::into);
    read
}

pub(super) fn read(row: &SqlRow) -> Row {
    let at = |column: &str| row.get::<_, Option<SystemTime>>(column).map(timestamp);
    let text = |column: &str| row.get::<_, Option<&str>>(column);
    let attempts: &str = row.get("attempts");
    let entry = JobEntry {
        job_id: row.get("job_id"),
        tenant: row.get("tenant"),
        action: row.get("action"),
        lane: row.get("lane"),
        status: status_of(row.get("status")),
        attempt: u32::try_from(row.get::<_, i64>("attempt")).unwrap_or(u32::MAX),
        why: why_of(text("why")),
        code: code_of(text("code")),
        enqueued_at: timestamp(row.get("enqueued_at")),
        created_at: timestamp(row.get("created_at")),
        claimed_at: at("claimed_at"),
        next_at: at("next_at"),
        finished_at: at("finished_at"),
        cost: text("cost").zip(text("currency")).map(|(amount, currency)| Cost {
            amount: amount.to_owned(),
            currency: currency.to_owned(),
        }),
        dead_lettered: row.get("dead_lettered"),
        attempts: serde_json::from_str(attempts).unwrap_or_default(),
        result: None,
    };
    Row { entry, fence: row.get::<_, i64>("fence").cast_unsigned(), sent_at: at("sent_at") }
}

/// To the millisecond.
pub(super) fn moment(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(millis(at)).unwrap_or(0))
}

pub(super) fn timestamp(at: SystemTime) -> Timestamp {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
