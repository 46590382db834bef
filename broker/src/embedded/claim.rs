//! The way of a message out: handed out, settled, or buried with the dead letters.

use bytes::Bytes;
use rusqlite::{Row, params};

use super::{
    error::Sql,
    queues::Queue,
    store::{Millis, Store},
    stored,
};
use crate::message::Message;

/// Rows looked at in one go that turn out to be expired; the rest waits for the next transaction.
const BURIED_AT_ONCE: usize = 1_000;

const BURIED_BYTES: usize = 16 * 1024 * 1024;

/// A message handed out to this session.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) id: i64,
    pub(super) message: Message,
    /// How often it was handed out before to somebody who vanished with it.
    pub(super) deliveries: i64,
}

impl Claimed {
    pub(super) fn bytes(&self) -> usize {
        self.message.body.len()
    }
}

/// How many messages, and how many bytes; the last message may exceed them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

/// A row as it is read.
struct Found {
    id: i64,
    deliveries: i64,
    expires: Option<Millis>,
    properties: String,
    body: Vec<u8>,
}

impl Found {
    fn read(row: &Row<'_>) -> Sql<Self> {
        Ok(Self {
            id: row.get(0)?,
            deliveries: row.get(1)?,
            expires: row.get(2)?,
            properties: row.get(3)?,
            body: row.get(4)?,
        })
    }

    fn is_over(&self, queue: &Queue, now: Millis) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
            || queue.delivery_limit.is_some_and(|limit| self.deliveries > limit)
    }
}

impl Store {
    /// Hands out what waits in a queue: first what came back, then the rest, both in order. `None`
    /// where there is no such queue.
    pub(super) fn claim(
        &mut self,
        name: &str,
        mut room: Room,
        now: Millis,
    ) -> Sql<Option<Vec<Claimed>>> {
        let Some(queue) = self.queue(name)?.cloned() else { return Ok(None) };
        let mut claimed = Vec::new();
        let mut buried = 0;
        while room.messages > 0 && room.bytes > 0 && buried < BURIED_AT_ONCE {
            let mut found = self.returned(&queue, room)?;
            let again = !found.is_empty();
            if !again {
                found = self.waiting(name, room)?;
            }
            if found.is_empty() {
                break;
            }
            for found in found {
                if again {
                    self.execute("DELETE FROM returned WHERE message = ?1", [found.id])?;
                }
                if found.is_over(&queue, now) {
                    self.bury(name, &queue, &found)?;
                    buried += 1;
                    continue;
                }
                let sql = "INSERT INTO held (message, session, deliveries) VALUES (?1, ?2, ?3)";
                self.execute(sql, [found.id, self.session, found.deliveries])?;
                room.messages = room.messages.saturating_sub(1);
                room.bytes = room.bytes.saturating_sub(found.body.len().max(1));
                let properties = stored::read(&found.properties);
                let message = Message { body: Bytes::from(found.body), properties };
                claimed.push(Claimed { id: found.id, message, deliveries: found.deliveries });
            }
        }
        Ok(Some(claimed))
    }

    fn returned(&self, queue: &Queue, room: Room) -> Sql<Vec<Found>> {
        let sql = "SELECT m.id, r.deliveries, m.expires, m.properties, m.body
            FROM returned r CROSS JOIN message m ON m.id = r.message
            WHERE r.message BETWEEN ?1 AND ?2 ORDER BY r.message";
        self.read(sql, [queue.first(), queue.last()], room)
    }

    /// What was never handed out; the queue's head moves past it.
    fn waiting(&mut self, name: &str, room: Room) -> Sql<Vec<Found>> {
        let Some(queue) = self.queue(name)?.cloned() else { return Ok(Vec::new()) };
        if queue.head == queue.tail {
            return Ok(Vec::new());
        }
        let sql = "SELECT id, 0, expires, properties, body FROM message
            WHERE id > ?1 AND id <= ?2 ORDER BY id";
        let found = self.read(sql, [queue.head, queue.last()], room)?;
        let head = found.last().map_or(queue.tail, |last| last.id);
        self.execute("UPDATE queue SET head = ?2 WHERE id = ?1", [queue.id, head])?;
        if let Some(queue) = self.queue(name)? {
            queue.head = head;
        }
        Ok(found)
    }

    /// As many rows as there is room for.
    fn read(&self, sql: &str, range: [i64; 2], room: Room) -> Sql<Vec<Found>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(range)?;
        let (mut found, mut bytes) = (Vec::new(), 0);
        while found.len() < room.messages
            && bytes < room.bytes
            && let Some(row) = rows.next()?
        {
            let row = Found::read(row)?;
            bytes += row.body.len();
            found.push(row);
        }
        Ok(found)
    }

    /// Moves a message to the dead letters of its queue; without such, it is gone.
    fn bury(&mut self, name: &str, queue: &Queue, found: &Found) -> Sql<()> {
        self.execute("DELETE FROM message WHERE id = ?1", [found.id])?;
        let Some(dead_letters) = &queue.dead_letters else { return Ok(()) };
        let properties = stored::moved(stored::read(&found.properties), name);
        if !self.put(dead_letters, None, &properties, &found.body)? {
            tracing::warn!(queue = name, %dead_letters, "no such queue; a message is dropped");
        }
        Ok(())
    }

    /// Buries what has expired at a queue's head, where no consumer comes by.
    pub(super) fn expire(&mut self, now: Millis) -> Sql<()> {
        let sql = "SELECT q.name FROM queue q CROSS JOIN message m ON m.id = (
                SELECT id FROM message WHERE id > q.head AND id < (q.id + 1) << 40
                ORDER BY id LIMIT 1)
            WHERE m.expires <= ?1";
        for name in self.rows(sql, [now], |row| row.get::<_, String>(0))? {
            let Some(queue) = self.queue(&name)?.cloned() else { continue };
            let sql = "SELECT expires <= ?3 FROM message WHERE id > ?1 AND id <= ?2
                ORDER BY id LIMIT ?4";
            let limit = i64::try_from(BURIED_AT_ONCE).unwrap_or(i64::MAX);
            let first = self.rows(sql, [queue.head, queue.last(), now, limit], |row| {
                Ok(row.get::<_, Option<bool>>(0)?.unwrap_or(false))
            })?;
            let expired = first.into_iter().take_while(|expired| *expired).count();
            let room = Room { messages: expired, bytes: BURIED_BYTES };
            for found in self.waiting(&name, room)? {
                self.bury(&name, &queue, &found)?;
            }
        }
        Ok(())
    }

    pub(super) fn ack(&mut self, message: i64) -> Sql<()> {
        self.execute("DELETE FROM message WHERE id = ?1", [message])?;
        self.execute("DELETE FROM held WHERE message = ?1", [message]).map(|_| ())
    }

    /// Back in its place, and not counted.
    pub(super) fn requeue(&mut self, message: i64) -> Sql<()> {
        let sql = "INSERT OR IGNORE INTO returned (message, deliveries)
            SELECT message, deliveries FROM held WHERE message = ?1";
        self.execute(sql, [message])?;
        self.execute("DELETE FROM held WHERE message = ?1", [message]).map(|_| ())
    }

    /// All that a session holds goes back, and counts as delivered.
    pub(super) fn return_all(&mut self, session: i64) -> Sql<usize> {
        let sql = "INSERT OR REPLACE INTO returned (message, deliveries)
            SELECT message, deliveries + 1 FROM held WHERE session = ?1";
        self.execute(sql, params![session])?;
        self.execute("DELETE FROM held WHERE session = ?1", [session])
    }
}
