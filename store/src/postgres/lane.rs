//! Batches of calls to the ledger, one transaction each, in two round trips.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use tokio::sync::{Mutex, mpsc};
use tokio_postgres::{Error, Row as SqlRow, types::ToSql};

use super::{
    LOCKS,
    day::{self, Day},
    error::store_error,
    ledger_rows,
    pool::{Pool, Session},
};
use crate::{
    error::StoreError,
    ledger::{Batch, BatchConfig, Changes, Gather, Row, Work, from_millis, usual},
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

impl Durability {
    /// How many transactions there are at once: while one waits for the disk, the next is made.
    const fn at_once(self) -> usize {
        match self {
            Self::Full => 2,
            Self::NewMayBeLost => 1,
        }
    }
}

/// Runs batches until every caller is gone.
pub(super) fn start(pool: &Pool, calls: mpsc::Receiver<Work>, durability: Durability) {
    start_on(pool, calls, durability, None);
}

/// As of the day that it believes in.
pub(super) fn start_on(
    pool: &Pool,
    calls: mpsc::Receiver<Work>,
    durability: Durability,
    day: Option<Day>,
) {
    let gather = Arc::new(Mutex::new(Gather::new(calls, BatchConfig::DEFAULT)));
    for _ in 0..durability.at_once() {
        let (pool, gather) = (pool.clone(), gather.clone());
        let mut lane = Lane { pool, durability, day };
        tokio::spawn(async move {
            loop {
                let gathered = gather.lock().await.next().await;
                let Some(calls) = gathered else { break };
                lane.commit(calls).await;
            }
        });
    }
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

/// How a batch gets to know the rows that it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It presumes them, and the statements check that.
    Presumed,
    /// It looks at them, and holds them until its end.
    Looked,
}

impl Lane {
    async fn commit(&mut self, calls: Vec<Work>) {
        let (usual, mut rest) = usual(calls);
        // in transactions of their own: rows are locked in one order in each
        rest.extend(self.run(usual, Way::Presumed, 1).await);
        let rest = self.run(rest, Way::Looked, ROUNDS).await;
        let changing = "the rows changed too often meanwhile".to_owned();
        Batch::new(rest).fail(&StoreError::Temporary(changing));
    }

    /// Yields the calls that were not decided.
    async fn run(&mut self, mut calls: Vec<Work>, way: Way, rounds: usize) -> Vec<Work> {
        for _ in 0..rounds {
            if calls.is_empty() {
                break;
            }
            let mut batch = Batch::new(calls);
            calls = match self.attempt(&mut batch, way).await {
                Ok(Ended::Again) => batch.undone(),
                Ok(Ended::Committed(again)) => batch.commit(&again),
                Err(error) => {
                    batch.fail(&error);
                    Vec::new()
                }
            };
        }
        calls
    }

    async fn attempt(&mut self, batch: &mut Batch, way: Way) -> Result<Ended, StoreError> {
        let session = self.pool.session().await?;
        let ended = tokio::time::timeout(session.limit, self.transact(&session, batch, way)).await;
        let ended = ended.unwrap_or_else(|_| Err(super::error::timed_out(session.limit)))?;
        session.done();
        Ok(ended)
    }

    async fn transact(
        &mut self,
        session: &Session,
        batch: &mut Batch,
        way: Way,
    ) -> Result<Ended, StoreError> {
        let day = match self.day {
            Some(day) => day,
            None => day::enter(session).await?,
        };
        self.day = Some(day);
        let looked = (way == Way::Looked).then(|| batch.job_ids());
        let (loaded, now) = begin(session, looked.as_deref(), day).await?;
        if Day::of(now) != day {
            self.day = None;
            return abandon(session).await;
        }
        let now = from_millis(now);
        let changes = match loaded {
            Some(loaded) => batch.decide(loaded, now),
            None => batch.presume(now),
        };
        match self.store(session, &changes, way, day).await {
            Ok(again) => Ok(Ended::Committed(again)),
            Err(error) if day::make_missing(session, &error).await? => Ok(Ended::Again),
            Err(error) => Err(store_error(&error)),
        }
    }

    /// Yields the jobs whose rows were not what they were taken for.
    async fn store(
        &self,
        session: &Session,
        changes: &Changes,
        way: Way,
        day: Day,
    ) -> Result<BTreeSet<String>, Error> {
        let Ok(client) = session.client() else { return Ok(BTreeSet::new()) };
        let may_be_lost = self.durability == Durability::NewMayBeLost && changes.updates.is_empty();
        let commit =
            if may_be_lost { "set local synchronous_commit to off; commit" } else { "commit" };
        let commit = client.batch_execute(commit);
        let Changes { inserts, updates } = changes;
        // sent together, in this order; in a transaction that has failed, `commit` is a rollback
        if way == Way::Looked {
            let insert = client.prepare_cached(ledger_rows::INSERT).await?;
            let update = client.prepare_cached(ledger_rows::UPDATE).await?;
            let (inserted, updated, committed) = futures::join!(
                ledger_rows::insert(client, &insert, inserts, day),
                ledger_rows::update(client, &update, updates),
                commit,
            );
            let not_inserted = inserted?;
            updated?;
            committed?;
            return Ok(not_inserted);
        }
        let claim = client.prepare_cached(ledger_rows::CLAIM).await?;
        let settle = client.prepare_cached(ledger_rows::SETTLE).await?;
        let (claimed, settled, committed) = futures::join!(
            ledger_rows::claim(client, &claim, inserts, day),
            ledger_rows::settle(client, &settle, updates, day),
            commit,
        );
        let (mut again, not_settled) = (claimed?, settled?);
        committed?;
        again.extend(not_settled);
        Ok(again)
    }
}

/// The rows of these jobs, locked, and what time it is, in milliseconds.
async fn begin(
    session: &Session,
    job_ids: Option<&[&str]>,
    day: Day,
) -> Result<(Option<HashMap<String, Row>>, i64), StoreError> {
    let client = session.client()?;
    let loading = async {
        let share = client.prepare_cached(day::SHARE_DAY).await?;
        let lock = client.prepare_cached(ledger_rows::LOCK).await?;
        let lock_day: [&(dyn ToSql + Sync); 2] = [&LOCKS, &day.0];
        let locked = async {
            let Some(job_ids) = job_ids else { return Ok(None) };
            client.query(&lock, &[&job_ids]).await.map(Some)
        };
        let (began, shared, rows) = futures::join!(
            // few rows and old statistics tempt the planner away from the keys
            client.batch_execute(
                "begin; set local enable_hashjoin to off; set local enable_mergejoin to off"
            ),
            client.query_one(&share, &lock_day),
            locked,
        );
        began?;
        let now: i64 = shared?.get("now");
        Ok((rows?, now))
    };
    let (rows, now) = loading.await.map_err(|error: Error| store_error(&error))?;
    let whole = |row: &SqlRow| {
        let row = ledger_rows::read_whole(row);
        (row.entry.job_id.clone(), row)
    };
    Ok((rows.map(|rows| rows.iter().map(whole).collect()), now))
}

async fn abandon(session: &Session) -> Result<Ended, StoreError> {
    let client = session.client()?;
    session.run(client.batch_execute("rollback")).await?;
    Ok(Ended::Again)
}
