//! Messages that wait for their time, in the order in which it comes: none waits behind another.

use std::time::Duration;

use actionfleet_proto::DELAY_LEVELS;
use rusqlite::params;

use super::{
    error::Sql,
    store::{Millis, Store, millis},
};

/// Bits of an id that tell apart what is due in the same millisecond.
const PLACE_BITS: u32 = 20;
/// The longest wait, ten years: what is due later could not be told from an error.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
/// Moved in one transaction, so that nobody waits long for it.
const AT_ONCE: i64 = 1_000;

/// When it is due: never too early.
pub(super) fn due(now: Millis, delay: Duration) -> Millis {
    let delay = delay.min(LONGEST);
    let part = !delay.subsec_nanos().is_multiple_of(1_000_000);
    // a millisecond that has begun counts as over
    if delay.is_zero() { now } else { now + millis(delay) + i64::from(part) + 1 }
}

impl Store {
    pub(super) fn delay(
        &mut self,
        queue: i64,
        due: Millis,
        ttl: Option<Millis>,
        properties: &str,
        body: &[u8],
    ) -> Sql<()> {
        let first = due << PLACE_BITS;
        let sql = "SELECT id FROM delayed WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT 1";
        let latest = self.row(sql, [first, first + (1 << PLACE_BITS)], |row| row.get(0))?;
        // a full millisecond runs over into the next one
        let id = latest.map_or(first, |latest: i64| latest + 1);
        let sql = "INSERT INTO delayed (id, queue, ttl, properties, body)
            VALUES (?1, ?2, ?3, ?4, ?5)";
        self.execute(sql, params![id, queue, ttl, properties, body])?;
        self.next_due = self.next_due.map(|next| next.min(due));
        Ok(())
    }

    /// When the first one is due; [`Millis::MAX`] where none waits.
    pub(super) fn next_due(&mut self) -> Sql<Millis> {
        if let Some(known) = self.next_due {
            return Ok(known);
        }
        let first = self.row("SELECT id FROM delayed ORDER BY id LIMIT 1", [], |row| row.get(0))?;
        let due = first.map_or(Millis::MAX, |id: i64| id >> PLACE_BITS);
        self.next_due = Some(due);
        Ok(due)
    }

    /// Puts what is due on its queue; whether there is more.
    pub(super) fn move_due(&mut self, now: Millis) -> Sql<bool> {
        if self.next_due()? > now {
            return Ok(false);
        }
        let sql = "SELECT d.id, q.name, d.ttl FROM delayed d LEFT JOIN queue q ON q.id = d.queue
            WHERE d.id < ?1 ORDER BY d.id LIMIT ?2";
        let due = self.rows(sql, [(now + 1) << PLACE_BITS, AT_ONCE], |row| {
            let row = (row.get::<_, i64>(0)?, row.get::<_, Option<String>>(1)?, row.get(2)?);
            Ok::<(_, _, Option<Millis>), _>(row)
        })?;
        for (id, name, ttl) in due {
            if let Some(place) = self.next_place(name.as_deref().unwrap_or_default())? {
                let sql = "INSERT INTO message (id, expires, properties, body)
                    SELECT ?1, ?2, properties, body FROM delayed WHERE id = ?3";
                let expires = ttl.map(|ttl| now.saturating_add(ttl));
                self.execute(sql, params![place, expires, id])?;
            }
            self.execute("DELETE FROM delayed WHERE id = ?1", [id])?;
        }
        self.next_due = None;
        Ok(self.next_due()? <= now)
    }

    /// The level of the delay ladder that has this name. There is no ladder here, but what waits
    /// is counted as if there were.
    pub(super) fn ladder_level(&self, name: &str) -> Option<u32> {
        (0..DELAY_LEVELS).find(|level| self.names.delay(*level) == name)
    }

    /// How many wait for between 2^level and 2^(level+1) seconds more; the outermost levels count
    /// what lies beyond them.
    pub(super) fn delayed_at(&self, level: u32, now: Millis) -> Sql<i64> {
        let at = |level: u32| (now + (1_000 << level)) << PLACE_BITS;
        let from = if level == 0 { 0 } else { at(level) };
        let to = if level + 1 == DELAY_LEVELS { i64::MAX } else { at(level + 1) };
        self.number("SELECT count(*) FROM delayed WHERE id >= ?1 AND id < ?2", [from, to])
    }
}
