//! The exchanges, queues and bindings as data: an engine declares them, `topology print` shows
//! them, and a test holds them against the contract.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::delay::{DELAY_LEVELS, DelayRoute};

/// Deliveries of one message before the broker itself moves it to the dead letters. Generous: it
/// counts every lost link, and the workers' own guard comes first.
const DELIVERY_LIMIT: i64 = 1_000;
/// Looking at dead letters returns them: that must not use them up.
const DEAD_DELIVERY_LIMIT: i64 = 1_000_000_000;

/// The AMQP names under a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    prefix: String,
}

impl Names {
    pub const DEFAULT_PREFIX: &str = "actionfleet";

    pub fn new(prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into() }
    }

    pub fn jobs(&self) -> String {
        format!("{}.jobs", self.prefix)
    }

    pub fn lane(&self, lane: &str) -> String {
        format!("{}.jobs.{lane}", self.prefix)
    }

    /// The exchange and the queue of a level of the delay ladder.
    pub fn delay(&self, level: u32) -> String {
        format!("{}.delay.{level}", self.prefix)
    }

    /// The exchange at the foot of the ladder, which hands out to the lanes.
    pub fn delay_foot(&self) -> String {
        format!("{}.delay", self.prefix)
    }

    pub fn dead(&self) -> String {
        format!("{}.dead", self.prefix)
    }

    pub fn results(&self) -> String {
        format!("{}.results", self.prefix)
    }

    pub fn notifications(&self) -> String {
        format!("{}.notifications", self.prefix)
    }

    /// Whether a queue or an exchange is the fleet's own, and no address for replies.
    pub fn is_reserved(&self, name: &str) -> bool {
        let own = name.strip_prefix(self.prefix.as_str()).and_then(|rest| rest.strip_prefix('.'));
        own.is_some_and(|rest| !rest.starts_with("replies."))
    }

    pub fn control(&self) -> String {
        format!("{}.control", self.prefix)
    }

    /// The queue on which one producer receives its results.
    pub fn replies(&self, producer: &str) -> String {
        format!("{}.replies.{producer}", self.prefix)
    }
}

impl Default for Names {
    fn default() -> Self {
        Self::new(Self::DEFAULT_PREFIX)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeKind {
    Direct,
    Topic,
    Fanout,
}

/// A durable exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exchange {
    pub name: String,
    pub kind: ExchangeKind,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Argument {
    Text(String),
    Number(i64),
}

impl From<&str> for Argument {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Argument {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Argument {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// A durable queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Queue {
    pub name: String,
    pub arguments: BTreeMap<String, Argument>,
}

impl Queue {
    fn quorum<const N: usize>(name: String, arguments: [(&str, Argument); N]) -> Self {
        let mut all = BTreeMap::from([("x-queue-type".to_owned(), Argument::from("quorum"))]);
        all.extend(arguments.map(|(key, value)| (key.to_owned(), value)));
        Self { name, arguments: all }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    Queue(String),
    Exchange(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Binding {
    pub source: String,
    pub destination: Destination,
    pub routing_key: String,
}

/// Everything that the fleet needs to exist on the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Topology {
    pub exchanges: Vec<Exchange>,
    pub queues: Vec<Queue>,
    pub bindings: Vec<Binding>,
}

impl Topology {
    pub fn new<'a>(names: &Names, lanes: impl IntoIterator<Item = &'a str>) -> Self {
        let exchange = |name, kind| Exchange { name, kind };
        let mut topology = Self {
            exchanges: vec![
                exchange(names.jobs(), ExchangeKind::Direct),
                exchange(names.delay_foot(), ExchangeKind::Topic),
                exchange(names.results(), ExchangeKind::Topic),
                exchange(names.notifications(), ExchangeKind::Topic),
                exchange(names.control(), ExchangeKind::Fanout),
            ],
            queues: vec![Queue::quorum(
                names.dead(),
                [("x-delivery-limit", DEAD_DELIVERY_LIMIT.into())],
            )],
            bindings: Vec::new(),
        };
        topology.add_ladder(names);
        for lane in lanes {
            topology.add_lane(names, lane);
        }
        topology
    }

    fn add_ladder(&mut self, names: &Names) {
        for level in 0..DELAY_LEVELS {
            let name = names.delay(level);
            let below = level.checked_sub(1).map_or_else(|| names.delay_foot(), |n| names.delay(n));
            self.exchanges.push(Exchange { name: name.clone(), kind: ExchangeKind::Topic });
            self.queues.push(Queue::quorum(
                name.clone(),
                [
                    ("x-message-ttl", (1_000 << level).into()),
                    ("x-dead-letter-exchange", below.clone().into()),
                    ("x-dead-letter-strategy", "at-least-once".into()),
                    ("x-overflow", "reject-publish".into()),
                ],
            ));
            self.bindings.push(Binding {
                source: name.clone(),
                destination: Destination::Queue(name.clone()),
                routing_key: DelayRoute::pattern(level, true),
            });
            self.bindings.push(Binding {
                source: name,
                destination: Destination::Exchange(below),
                routing_key: DelayRoute::pattern(level, false),
            });
        }
    }

    fn add_lane(&mut self, names: &Names, lane: &str) {
        let queue = names.lane(lane);
        self.queues.push(Queue::quorum(
            queue.clone(),
            [
                ("x-delivery-limit", DELIVERY_LIMIT.into()),
                ("x-dead-letter-exchange", "".into()),
                ("x-dead-letter-routing-key", names.dead().into()),
            ],
        ));
        for (source, routing_key) in
            [(names.jobs(), lane.to_owned()), (names.delay_foot(), DelayRoute::foot(lane))]
        {
            self.bindings.push(Binding {
                source,
                destination: Destination::Queue(queue.clone()),
                routing_key,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topology_of_two_lanes() {
        let topology = Topology::new(&Names::default(), ["default", "bulk"]);
        insta::assert_json_snapshot!(topology);
    }

    #[test]
    fn bindings_join_what_exists() {
        let topology = Topology::new(&Names::new("x"), ["a"]);
        let exchange = |name: &String| topology.exchanges.iter().any(|e| e.name == *name);
        let queue = |name: &String| topology.queues.iter().any(|q| q.name == *name);
        for binding in &topology.bindings {
            assert!(exchange(&binding.source), "{binding:?}");
            match &binding.destination {
                Destination::Queue(name) => assert!(queue(name), "{binding:?}"),
                Destination::Exchange(name) => assert!(exchange(name), "{binding:?}"),
            }
        }
    }
}
