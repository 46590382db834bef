//! The way of a message in.

use rusqlite::params;

use super::{
    delayed::due,
    error::Sql,
    store::{Millis, Store},
    stored,
};
use crate::{
    message::{Address, Message},
    port::PublishError,
};

/// Body and properties of one message. More than a job may have, so that one that is too large is
/// refused by its worker, with a code, and moves with the headers that it gathers.
const LARGEST: usize = 32 * 1024 * 1024;

/// Where a message goes, or why nowhere.
type Way = Result<Vec<String>, PublishError>;

impl Store {
    /// The inner result is the publisher's affair; the outer one ends the transaction.
    pub(super) fn publish(
        &mut self,
        to: &Address,
        message: &Message,
        at: Millis,
    ) -> Sql<Result<(), PublishError>> {
        let properties = stored::published(&message.properties);
        let size = message.body.len().saturating_add(properties.len());
        if size > LARGEST {
            return Ok(unroutable(format!("it has {size} bytes; at most {LARGEST} are taken")));
        }
        let queues = match self.way(to)? {
            Ok(queues) => queues,
            Err(error) => return Ok(Err(error)),
        };
        let ttl = message.properties.expiration.as_deref().and_then(|ms| ms.parse().ok());
        let ttl: Option<Millis> = ttl.filter(|ms| *ms >= 0);
        let due = match to {
            Address::Delayed { delay, .. } => Some(due(at, *delay)).filter(|due| *due > at),
            _ => None,
        };
        for name in &queues {
            let Some(queue) = self.queue(name)?.map(|queue| queue.id) else {
                return Ok(unroutable(format!("queue {name:?}")));
            };
            if let Some(due) = due {
                self.delay(queue, due, ttl, &properties, &message.body)?;
            } else {
                let expires = ttl.map(|ttl| at.saturating_add(ttl));
                self.put(name, expires, &properties, &message.body)?;
            }
        }
        Ok(Ok(()))
    }

    /// Puts a message at a queue's end, where there is such a queue.
    pub(super) fn put(
        &mut self,
        queue: &str,
        expires: Option<Millis>,
        properties: &str,
        body: &[u8],
    ) -> Sql<bool> {
        let Some(id) = self.next_place(queue)? else { return Ok(false) };
        let sql = "INSERT INTO message (id, expires, properties, body) VALUES (?1, ?2, ?3, ?4)";
        self.execute(sql, params![id, expires, properties, body])?;
        Ok(true)
    }

    /// The id of the message that comes next into a queue.
    pub(super) fn next_place(&mut self, queue: &str) -> Sql<Option<i64>> {
        let queue = self.queue(queue)?;
        Ok(queue.map(|queue| {
            queue.tail += 1;
            queue.tail
        }))
    }

    fn way(&mut self, to: &Address) -> Sql<Way> {
        let names = &self.names;
        let (exchange, routing_key) = match to {
            Address::Lane(lane) | Address::Delayed { lane, .. } => {
                return Ok(Ok(vec![names.lane(lane)]));
            }
            Address::Dead => return Ok(Ok(vec![names.dead()])),
            Address::Queue(queue) => return Ok(self.chosen(queue)),
            Address::Exchange { exchange, routing_key } if exchange.is_empty() => {
                return Ok(self.chosen(routing_key));
            }
            Address::Exchange { exchange, .. } if names.is_reserved(exchange) => {
                return Ok(reserved(exchange));
            }
            Address::Exchange { exchange, routing_key } => (exchange.clone(), &**routing_key),
            Address::Results { routing_key } => (names.results(), &**routing_key),
            Address::Notifications { routing_key } => (names.notifications(), &**routing_key),
            Address::Control => (names.control(), ""),
        };
        let queues = self.bound(&exchange, routing_key)?;
        if !to.must_arrive() {
            return Ok(Ok(queues.unwrap_or_default()));
        }
        Ok(match queues {
            None => unroutable(format!("exchange {exchange:?} (there is none of that name)")),
            Some(queues) if queues.is_empty() => {
                unroutable(format!("exchange {exchange:?} with routing key {routing_key:?}"))
            }
            Some(queues) => Ok(queues),
        })
    }

    /// A queue that a producer named.
    fn chosen(&self, queue: &str) -> Way {
        if self.names.is_reserved(queue) { reserved(queue) } else { Ok(vec![queue.to_owned()]) }
    }
}

fn reserved(name: &str) -> Way {
    unroutable(format!("{name:?} is the fleet's own"))
}

fn unroutable<T>(why: String) -> Result<T, PublishError> {
    Err(PublishError::Unroutable(why))
}
