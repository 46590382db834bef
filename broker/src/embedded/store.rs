//! The connection and what is remembered of the file: valid for one transaction, and beyond it as
//! long as no other process writes.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use actionfleet_proto::Names;
use rusqlite::{Connection, OptionalExtension, Params, Row};

use super::{error::Sql, exchanges::Exchange, queues::Queue};

/// Remembered queues and exchanges; more are read again.
pub(super) const REMEMBERED: usize = 4_096;

/// Milliseconds since 1970, the unit of every time in the file.
pub(super) type Millis = i64;

pub(super) fn now() -> Millis {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    millis(since)
}

pub(super) fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

#[derive(Debug)]
pub(super) struct Store {
    pub(super) connection: Connection,
    pub(super) names: Names,
    pub(super) session: i64,
    pub(super) queues: HashMap<String, Queue>,
    pub(super) exchanges: HashMap<String, Exchange>,
    /// When the first delayed message is due; [`Millis::MAX`] where none waits.
    pub(super) next_due: Option<Millis>,
    /// Other processes, as far as is known.
    pub(super) others: Option<Vec<i64>>,
    /// Whether anything is bound to the results, and to the notifications.
    pub(super) heard: Option<(bool, bool)>,
    /// Whether a commit waits for the disk.
    durable: Option<bool>,
    /// SQLite's count of what others committed, when it was last looked at.
    seen: i64,
}

impl Store {
    pub(super) fn new(connection: Connection, names: Names) -> Self {
        Self {
            connection,
            names,
            session: 0,
            queues: HashMap::new(),
            exchanges: HashMap::new(),
            next_due: None,
            others: None,
            heard: None,
            durable: None,
            seen: -1,
        }
    }

    /// Whether the next commits wait for the disk.
    pub(super) fn sync(&mut self, durable: bool) -> Sql<()> {
        if self.durable != Some(durable) {
            let level = if durable { "FULL" } else { "NORMAL" };
            self.connection.pragma_update(None, "synchronous", level)?;
            self.durable = Some(durable);
        }
        Ok(())
    }

    /// Begins a transaction that writes: others wait until it ends.
    pub(super) fn begin(&mut self) -> Sql<()> {
        self.execute("BEGIN IMMEDIATE", [])?;
        let version = self.data_version()?;
        if version != self.seen {
            self.forget();
            self.seen = version;
        }
        Ok(())
    }

    pub(super) fn commit(&mut self) -> Sql<()> {
        self.execute("COMMIT", []).map(|_| ())
    }

    pub(super) fn roll_back(&mut self) {
        self.forget();
        // some errors have done so already
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::warn!(%error, "a transaction could not be rolled back");
        }
    }

    /// Whether another process committed since the last transaction.
    pub(super) fn is_stale(&self) -> bool {
        self.data_version().is_ok_and(|version| version != self.seen)
    }

    pub(super) fn forget(&mut self) {
        self.queues.clear();
        self.exchanges.clear();
        self.next_due = None;
        self.others = None;
        self.heard = None;
    }

    pub(super) fn execute(&self, sql: &str, params: impl Params) -> Sql<usize> {
        self.connection.prepare_cached(sql)?.execute(params)
    }

    pub(super) fn row<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Sql<T>,
    ) -> Sql<Option<T>> {
        self.connection.prepare_cached(sql)?.query_row(params, read).optional()
    }

    pub(super) fn rows<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> Sql<T>,
    ) -> Sql<Vec<T>> {
        self.connection.prepare_cached(sql)?.query_map(params, read)?.collect()
    }

    pub(super) fn number(&self, sql: &str, params: impl Params) -> Sql<i64> {
        Ok(self.row(sql, params, |row| row.get(0))?.unwrap_or(0))
    }

    fn data_version(&self) -> Sql<i64> {
        self.number("PRAGMA data_version", [])
    }
}
