//! Queues: what they are called, where their messages lie, how far they were handed out.

use rusqlite::params;

use super::{
    error::Sql,
    store::{Millis, REMEMBERED, Store},
};
use crate::port::Depth;

/// Bits of a message's id that are its place in the queue.
const PLACE_BITS: u32 = 40;

#[derive(Debug, Clone)]
pub(super) struct Queue {
    pub(super) id: i64,
    /// The last message that was handed out, or that never will be.
    pub(super) head: i64,
    /// The last message that came in.
    pub(super) tail: i64,
    pub(super) delivery_limit: Option<i64>,
    /// The queue that takes what expires or was delivered too often.
    pub(super) dead_letters: Option<String>,
}

impl Queue {
    pub(super) fn first(&self) -> i64 {
        self.id << PLACE_BITS
    }

    pub(super) fn last(&self) -> i64 {
        self.first() | ((1 << PLACE_BITS) - 1)
    }
}

/// What a queue is created with.
#[derive(Debug, Default)]
pub(super) struct Plan<'a> {
    pub(super) name: &'a str,
    /// As declared, as JSON.
    pub(super) arguments: String,
    pub(super) delivery_limit: Option<i64>,
    pub(super) dead_letters: Option<&'a str>,
    /// Deleted after so long without a consumer.
    pub(super) expires: Option<Millis>,
    /// Deleted with this session.
    pub(super) owner: Option<i64>,
}

impl Store {
    pub(super) fn queue(&mut self, name: &str) -> Sql<Option<&mut Queue>> {
        if !self.queues.contains_key(name) {
            let Some(queue) = self.load_queue(name)? else { return Ok(None) };
            if self.queues.len() >= REMEMBERED {
                self.queues.clear();
            }
            self.queues.insert(name.to_owned(), queue);
        }
        Ok(self.queues.get_mut(name))
    }

    fn load_queue(&self, name: &str) -> Sql<Option<Queue>> {
        let sql = "SELECT id, head, delivery_limit, dead_letters FROM queue WHERE name = ?1";
        let queue = self.row(sql, [name], |row| {
            let head = row.get(1)?;
            let (delivery_limit, dead_letters) = (row.get(2)?, row.get(3)?);
            Ok(Queue { id: row.get(0)?, head, tail: head, delivery_limit, dead_letters })
        })?;
        let Some(mut queue) = queue else { return Ok(None) };
        // places are not used twice: a message that is gone was handed out, so the head is past it
        let sql = "SELECT id FROM message WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1";
        let newest = self.number(sql, [queue.first(), queue.last()])?;
        queue.tail = queue.head.max(newest);
        Ok(Some(queue))
    }

    pub(super) fn create_queue(&mut self, plan: &Plan<'_>, now: Millis) -> Sql<()> {
        let sql = "INSERT INTO queue
            (name, arguments, head, delivery_limit, dead_letters, expires_ms, idle_since, owner)
            VALUES (?1, ?2, 0, ?3, ?4, ?5, ?6, ?7)";
        let Plan { name, arguments, delivery_limit, dead_letters, expires, owner } = plan;
        self.execute(
            sql,
            params![name, arguments, delivery_limit, dead_letters, expires, now, owner],
        )?;
        let id = self.connection.last_insert_rowid();
        let head = id << PLACE_BITS;
        self.execute("UPDATE queue SET head = ?2 WHERE id = ?1", [id, head])?;
        Ok(())
    }

    /// With all that is in it.
    pub(super) fn delete_queue(&mut self, name: &str) -> Sql<()> {
        let Some(queue) = self.queue(name)?.cloned() else { return Ok(()) };
        let range = [queue.first(), queue.last()];
        self.execute("DELETE FROM message WHERE id BETWEEN ?1 AND ?2", range)?;
        self.execute("DELETE FROM held WHERE message BETWEEN ?1 AND ?2", range)?;
        self.execute("DELETE FROM returned WHERE message BETWEEN ?1 AND ?2", range)?;
        self.execute("DELETE FROM delayed WHERE queue = ?1", [queue.id])?;
        self.execute("DELETE FROM binding WHERE queue = ?1", [name])?;
        self.execute("DELETE FROM consumer WHERE queue = ?1", [queue.id])?;
        self.execute("DELETE FROM queue WHERE id = ?1", [queue.id])?;
        self.forget();
        Ok(())
    }

    pub(super) fn add_consumer(&mut self, queue: &str) -> Sql<Option<i64>> {
        let Some(id) = self.queue(queue)?.map(|queue| queue.id) else { return Ok(None) };
        let session = self.session;
        self.execute("INSERT INTO consumer (session, queue) VALUES (?1, ?2)", [session, id])?;
        let consumer = self.connection.last_insert_rowid();
        self.execute("UPDATE queue SET idle_since = NULL WHERE id = ?1", [id])?;
        Ok(Some(consumer))
    }

    /// A queue that belongs to this session and has no other consumer goes with it.
    pub(super) fn remove_consumer(&mut self, consumer: i64, now: Millis) -> Sql<()> {
        let sql = "SELECT q.id, q.name, q.owner FROM consumer c JOIN queue q ON q.id = c.queue
            WHERE c.id = ?1";
        let found = self.row(sql, [consumer], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<i64>>(2)?))
        })?;
        self.execute("DELETE FROM consumer WHERE id = ?1", [consumer])?;
        match found {
            Some((_, name, Some(_))) => self.delete_queue(&name),
            Some((id, ..)) => self.mark_idle(id, now),
            None => Ok(()),
        }
    }

    fn mark_idle(&self, queue: i64, now: Millis) -> Sql<()> {
        let sql = "UPDATE queue SET idle_since = ?2
            WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM consumer WHERE queue = ?1)";
        self.execute(sql, [queue, now]).map(|_| ())
    }

    /// Deletes the queues that had no consumer for as long as they say.
    pub(super) fn delete_idle(&mut self, now: Millis) -> Sql<()> {
        let sql = "SELECT name FROM queue WHERE idle_since + expires_ms <= ?1";
        for name in self.rows(sql, [now], |row| row.get::<_, String>(0))? {
            self.delete_queue(&name)?;
        }
        Ok(())
    }

    /// `None` where there is no such queue.
    pub(super) fn depth(&mut self, name: &str, now: Millis) -> Sql<Option<Depth>> {
        if let Some(level) = self.ladder_level(name) {
            let ready = clamped(self.delayed_at(level, now)?);
            return Ok(Some(Depth { ready, consumers: 0 }));
        }
        let Some(queue) = self.queue(name)?.cloned() else { return Ok(None) };
        let sql = "SELECT count(*) FROM returned WHERE message BETWEEN ?1 AND ?2";
        let returned = self.number(sql, [queue.first(), queue.last()])?;
        let sql = "SELECT count(*) FROM consumer WHERE queue = ?1";
        let consumers = clamped(self.number(sql, [queue.id])?);
        // nothing leaves a queue but by its head
        Ok(Some(Depth { ready: clamped(queue.tail - queue.head + returned), consumers }))
    }
}

fn clamped(count: i64) -> u32 {
    u32::try_from(count).unwrap_or(if count < 0 { 0 } else { u32::MAX })
}
