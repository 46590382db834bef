//! A walk over the dead letters.

use std::sync::Arc;

use actionfleet_broker::Broker;
use actionfleet_proto::{Names, Timestamp};

use super::{DeadError, DeadLetter, Filter};

/// Takes dead letters one by one. What it passes by comes back when the link is closed.
#[derive(Debug)]
pub struct Scan {
    broker: Arc<dyn Broker>,
    queue: String,
    /// Not yet looked at. Those that come while the scan goes on are not for it: a replayed job
    /// that fails again would go round for ever.
    left: u32,
    matches_left: usize,
    filter: Filter,
    names: Names,
}

impl Scan {
    pub(super) fn new(
        broker: Arc<dyn Broker>,
        queue: String,
        depth: u32,
        filter: Filter,
        names: Names,
    ) -> Self {
        let matches_left = filter.limit.unwrap_or(usize::MAX);
        Self { broker, queue, left: depth, matches_left, filter, names }
    }

    /// How many are left to look at.
    pub fn left(&self) -> u32 {
        self.left
    }

    /// The next dead letter that the filter lets through.
    pub async fn next(&mut self) -> Result<Option<DeadLetter>, DeadError> {
        while self.left > 0 && self.matches_left > 0 {
            self.left -= 1;
            let Some(delivery) = self.broker.pull(&self.queue).await? else {
                self.left = 0;
                break;
            };
            let letter = DeadLetter::new(delivery, &self.names);
            if self.filter.lets_through(&letter, Timestamp::now()) {
                self.matches_left -= 1;
                return Ok(Some(letter));
            }
        }
        Ok(None)
    }
}
