//! What is done now and then: sessions whose process died, what expired, an idle file's size.

use std::time::{Duration, Instant};

use super::{
    error::Sql,
    schema,
    session::{DeadSession, Session},
    store::{Millis, Store},
};

/// How often one looks whether another process died.
const WATCH: Duration = Duration::from_millis(250);
const ALONE: Duration = Duration::from_secs(1);
/// After so long without a write the log is copied into the file and emptied.
const IDLE: Duration = Duration::from_secs(2);
/// Free pages that are kept for what comes next: 16 MiB.
const KEPT_PAGES: i64 = 4_096;
/// Pages given back to the disk in one go.
const FREED_AT_ONCE: i64 = 2_048;
/// What must fit before a full disk counts as mended.
const PROBE_BYTES: i64 = 256 * 1024;

#[derive(Debug)]
pub(super) struct Upkeep {
    last: Option<Instant>,
    written: Option<Instant>,
    changes: u64,
}

impl Upkeep {
    pub(super) fn new() -> Self {
        Self { last: None, written: None, changes: 0 }
    }

    /// Until it is time again.
    pub(super) fn rest(&self, has_others: bool) -> Duration {
        let pace = if has_others { WATCH } else { ALONE };
        self.last.map_or(Duration::ZERO, |last| pace.saturating_sub(last.elapsed()))
    }

    /// Within a transaction. The sessions that were cleared away must be ended after it.
    pub(super) fn run(
        &mut self,
        store: &mut Store,
        session: &Session,
        now: Millis,
    ) -> Sql<Vec<DeadSession>> {
        self.last = Some(Instant::now());
        let mut dead = Vec::new();
        for other in store.others()?.to_vec() {
            let Some(taken) = session.take_over(other) else { continue };
            let returned = store.end_session(other, now)?;
            if returned > 0 {
                tracing::warn!(returned, "a process is gone; what it held is delivered again");
            }
            dead.push(taken);
        }
        store.expire(now)?;
        store.delete_idle(now)?;
        Ok(dead)
    }

    /// After a commit.
    pub(super) fn committed(&mut self, store: &Store) {
        let changes = store.connection.total_changes();
        if changes != self.changes {
            self.changes = changes;
            self.written = Some(Instant::now());
        }
    }

    /// Outside of transactions: shrinks the log, and the file in steps, once nothing is written.
    pub(super) fn shrink(&mut self, store: &mut Store) {
        if self.written.is_none_or(|written| written.elapsed() < IDLE) {
            return;
        }
        let left = store.give_back_pages();
        store.empty_log();
        self.written = left.unwrap_or(false).then(Instant::now);
    }
}

impl Store {
    /// Whether there are more to give back.
    fn give_back_pages(&self) -> Sql<bool> {
        let free = self.number("PRAGMA freelist_count", [])?;
        if free <= KEPT_PAGES {
            return Ok(false);
        }
        // frees a page with each step
        let sql = format!("PRAGMA incremental_vacuum({FREED_AT_ONCE})");
        let mut statement = self.connection.prepare(&sql)?;
        let mut steps = statement.query([])?;
        while steps.next()?.is_some() {}
        Ok(free - FREED_AT_ONCE > KEPT_PAGES)
    }

    /// As far as no other process needs it.
    pub(super) fn empty_log(&mut self) {
        let _ = self.connection.busy_handler(None::<fn(i32) -> bool>);
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let _ = self.connection.busy_handler(Some(schema::wait));
    }

    /// Whether the file can grow again.
    pub(super) fn probe(&mut self) -> Sql<()> {
        self.begin()?;
        self.execute("INSERT INTO probe (filler) VALUES (zeroblob(?1))", [PROBE_BYTES])?;
        self.commit()?;
        self.execute("DELETE FROM probe", []).map(|_| ())
    }
}
