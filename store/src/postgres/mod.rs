//! The engine over `PostgreSQL`, in a schema of its own, `actionfleet`.

mod bind;
mod catalog;
mod catalog_changes;
mod catalog_rows;
mod connect;
mod day;
#[cfg(test)]
mod day_tests;
mod error;
#[cfg(test)]
mod explain_tests;
mod lane;
mod ledger;
mod ledger_rows;
mod migrate;
mod pool;
mod secrets;
mod tls;
mod watch;

use std::{sync::Arc, time::Duration};

use tokio_util::task::AbortOnDropHandle;

use self::{connect::Target, lane::Durability, pool::Pool};
use crate::{catalog::Revisions, config::StoreConfig, error::StoreError, ledger::Queue};

/// Where all tables are.
const SCHEMA: &str = "actionfleet";

/// The first of two keys of every advisory lock.
const LOCKS: i32 = 1_633_907_814;

/// How many calls wait in a queue before callers do.
const BOUND: usize = 4096;

/// How often the partitions of the coming days are looked after.
const DAYS_CHECK: Duration = Duration::from_secs(60 * 60);

#[derive(Debug)]
pub(crate) struct Postgres {
    pool: Pool,
    /// Claims of new jobs may be forgotten by a crash of the server; nobody waits for their flush.
    claims: Queue,
    outcomes: Queue,
    revisions: Arc<Revisions>,
    /// Gone with the engine.
    _tasks: [AbortOnDropHandle<()>; 2],
}

impl Postgres {
    /// Connects, and brings the schema up to date.
    pub(crate) async fn open(url: &str, config: &StoreConfig) -> Result<Arc<Self>, StoreError> {
        let target = Target::new(url, config)?;
        migrate::run(&target).await?;
        let pool = Pool::new(&target, config)?;
        if let Err(error) = day::make_ahead(&pool).await {
            // a standby can be read; elsewhere the partitions are made when they are missing
            tracing::warn!(%error, "cannot make the partitions of the coming days");
        }
        let (claims, waiting) = Queue::new(BOUND);
        lane::start(&pool, waiting, Durability::NewMayBeLost);
        let (outcomes, waiting) = Queue::new(BOUND);
        lane::start(&pool, waiting, Durability::Full);
        let session = pool.session().await?;
        let seen = session.run(catalog_rows::revisions(session.client()?)).await?;
        session.done();
        let revisions = Arc::new(Revisions::new(seen));
        let watching = watch::run(target, revisions.clone(), config.poll);
        let tasks = [tokio::spawn(keep_days(pool.clone())), tokio::spawn(watching)];
        let tasks = tasks.map(AbortOnDropHandle::new);
        Ok(Arc::new(Self { pool, claims, outcomes, revisions, _tasks: tasks }))
    }
}

async fn keep_days(pool: Pool) {
    loop {
        tokio::time::sleep(DAYS_CHECK).await;
        if let Err(error) = day::make_ahead(&pool).await {
            tracing::warn!(%error, "cannot make the partitions of the coming days");
        }
    }
}
