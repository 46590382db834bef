//! Batches of calls to the ledger, one transaction each, in two round trips.

use std::{
    collections::{BTreeSet, HashMap},
    mem,
};

use tokio::sync::mpsc;
use tokio_postgres::{Error, types::ToSql};

use super::{
    LOCKS,
    day::{self, Day},
    error::store_error,
    ledger_rows,
    pool::{Pool, Session},
};
use crate::{
    error::StoreError,
    ledger::{Batch, BatchConfig, Changes, Gather, Row, Work, from_millis},
};

/// How often a batch is begun anew, because of midnight, of a missing partition, or of rows that
/// came up meanwhile.
const ROUNDS: usize = 5;

/// What a commit waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    Full,
    /// New rows alone may be forgotten by a crash of the server: what finds no row starts one.
    NewMayBeLost,
}

/// Runs batches until every caller is gone.
pub(super) fn start(pool: Pool, calls: mpsc::Receiver<Work>, durability: Durability) {
    start_on(pool, calls, durability, None);
}

/// As of the day that it believes in.
pub(super) fn start_on(
    pool: Pool,
    calls: mpsc::Receiver<Work>,
    durability: Durability,
    day: Option<Day>,
) {
    let mut gather = Gather::new(calls, BatchConfig::DEFAULT);
    let mut lane = Lane { pool, durability, day };
    tokio::spawn(async move {
        while let Some(calls) = gather.next().await {
            lane.commit(calls).await;
        }
    });
}

struct Lane {
    pool: Pool,
    durability: Durability,
    /// The one that was entered.
    day: Option<Day>,
}

/// How a transaction ended that did not fail.
enum Ended {
    /// Except for the rows of these jobs, which somebody else added first.
    Committed(BTreeSet<String>),
    /// Nothing was written, and it is worth another try.
    Again,
}

impl Lane {
    async fn commit(&mut self, calls: Vec<Work>) {
        let mut batch = Batch::new(calls);
        for _ in 0..ROUNDS {
            match self.attempt(&mut batch).await {
                Ok(Ended::Again) => {}
                Ok(Ended::Committed(again)) => {
                    let redo = mem::take(&mut batch).commit(&again);
                    if redo.is_empty() {
                        return;
                    }
                    batch = Batch::new(redo);
                }
                Err(error) => return batch.fail(&error),
            }
        }
        batch.fail(&StoreError::Temporary("the rows changed too often meanwhile".to_owned()));
    }

    async fn attempt(&mut self, batch: &mut Batch) -> Result<Ended, StoreError> {
        let session = self.pool.session().await?;
        let ended = tokio::time::timeout(session.limit, self.transact(&session, batch)).await;
        let ended = ended.unwrap_or_else(|_| Err(super::error::timed_out(session.limit)))?;
        session.done();
        Ok(ended)
    }

    async fn transact(
        &mut self,
        session: &Session,
        batch: &mut Batch,
    ) -> Result<Ended, StoreError> {
        let day = match self.day {
            Some(day) => day,
            None => day::enter(session).await?,
        };
        self.day = Some(day);
        let (loaded, now) = load(session, &batch.job_ids(), day).await?;
        if Day::of(now) != day {
            self.day = None;
            return abandon(session).await;
        }
        let changes = batch.decide(loaded, from_millis(now));
        match self.store(session, &changes, day).await {
            Ok(again) => Ok(Ended::Committed(again)),
            Err(error) if day::make_missing(session, &error).await? => Ok(Ended::Again),
            Err(error) => Err(store_error(&error)),
        }
    }

    /// Yields the jobs whose rows somebody else added first.
    async fn store(
        &self,
        session: &Session,
        changes: &Changes,
        day: Day,
    ) -> Result<BTreeSet<String>, Error> {
        let Ok(client) = session.client() else { return Ok(BTreeSet::new()) };
        let insert = client.prepare_cached(ledger_rows::INSERT).await?;
        let update = client.prepare_cached(ledger_rows::UPDATE).await?;
        let may_be_lost = self.durability == Durability::NewMayBeLost && changes.updates.is_empty();
        let commit =
            if may_be_lost { "set local synchronous_commit to off; commit" } else { "commit" };
        // sent together, in this order; in a transaction that has failed, `commit` is a rollback
        let (inserted, updated, committed) = futures::join!(
            ledger_rows::insert(client, &insert, &changes.inserts, day),
            ledger_rows::update(client, &update, &changes.updates),
            client.batch_execute(commit),
        );
        let inserted = inserted?;
        updated?;
        committed?;
        let ids = changes.inserts.iter().map(|row| &row.entry.job_id);
        Ok(ids.filter(|id| !inserted.contains(*id)).cloned().collect())
    }
}

async fn load(
    session: &Session,
    job_ids: &[&str],
    day: Day,
) -> Result<(HashMap<String, Row>, i64), StoreError> {
    let client = session.client()?;
    let loading = async {
        let share = client.prepare_cached(day::SHARE_DAY).await?;
        let lock = client.prepare_cached(ledger_rows::LOCK).await?;
        let lock_day: [&(dyn ToSql + Sync); 2] = [&LOCKS, &day.0];
        let lock_rows: [&(dyn ToSql + Sync); 1] = [&job_ids];
        let (began, shared, rows) = futures::join!(
            // few rows and old statistics tempt the planner away from the keys
            client.batch_execute(
                "begin; set local enable_hashjoin to off; set local enable_mergejoin to off"
            ),
            client.query_one(&share, &lock_day),
            client.query(&lock, &lock_rows),
        );
        began?;
        let now: i64 = shared?.get("now");
        Ok((rows?, now))
    };
    let (rows, now) = loading.await.map_err(|error: Error| store_error(&error))?;
    let rows = rows.iter().map(ledger_rows::read_whole).map(|row| (row.entry.job_id.clone(), row));
    Ok((rows.collect(), now))
}

async fn abandon(session: &Session) -> Result<Ended, StoreError> {
    let client = session.client()?;
    session.run(client.batch_execute("rollback")).await?;
    Ok(Ended::Again)
}
