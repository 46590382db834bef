//! The days that rows belong to, and their partitions.
//!
//! An id is unique over all days although only each day has a unique index: who adds a row on a
//! day shares a lock on that day, taken before midnight by the server's clock, until its commit;
//! and before the first row of the next day is added, that lock is waited for exclusively. So
//! whatever the day before added is visible by then.

use tokio_postgres::Error;

use super::{
    LOCKS,
    error::is_without_partition,
    pool::{Pool, Session},
};
use crate::{error::StoreError, ledger::DAY};

/// How many days beyond today have a partition ready.
const AHEAD: i32 = 3;

/// UTC days since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day(pub(super) i32);

impl Day {
    pub(super) fn of(millis: i64) -> Self {
        Self(i32::try_from(millis.div_euclid(DAY)).unwrap_or(i32::MAX))
    }
}

/// Locks the day until the end of the transaction, and says what time it is then, in milliseconds.
pub(super) const SHARE_DAY: &str = "select pg_advisory_xact_lock_shared($1, $2), \
     floor(extract(epoch from clock_timestamp()) * 1000)::bigint as now";

pub(super) const NOW: &str = "select floor(extract(epoch from clock_timestamp()) * 1000)::bigint";

/// Enters the present day: waits until nobody adds rows to the one before.
pub(super) async fn enter(session: &Session) -> Result<Day, StoreError> {
    let client = session.client()?;
    let now = session.run(client.query_one(NOW, &[])).await?;
    let day = Day::of(now.get(0));
    let before = day.0.saturating_sub(1);
    let wait = "select pg_advisory_xact_lock($1, $2)";
    session.run(client.execute(wait, &[&LOCKS, &before])).await?;
    Ok(day)
}

/// Makes the partitions of today and the coming days.
pub(super) async fn make_ahead(pool: &Pool) -> Result<(), StoreError> {
    let session = pool.session().await?;
    make(&session, AHEAD).await?;
    session.done();
    Ok(())
}

/// Makes the partition that an error missed.
pub(super) async fn make_missing(session: &Session, error: &Error) -> Result<bool, StoreError> {
    if !is_without_partition(error) {
        return Ok(false);
    }
    make(session, AHEAD).await?;
    Ok(true)
}

async fn make(session: &Session, ahead: i32) -> Result<(), StoreError> {
    let client = session.client()?;
    let missing = "select make_jobs_day(day) from (\
         select (clock_timestamp() at time zone 'UTC')::date + number as day \
         from generate_series(0, $1::int) as number) as days \
         where to_regclass('jobs_' || to_char(day, 'YYYYMMDD')) is null";
    session.run(client.execute(missing, &[&ahead])).await?;
    Ok(())
}
