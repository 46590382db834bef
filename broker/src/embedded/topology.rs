//! The topology as the fleet declares it for RabbitMQ. The delay ladder is left out: delays are the
//! engine's own affair.

use std::collections::BTreeMap;

use actionfleet_proto::{
    Argument, DELAY_LEVELS, Destination, Exchange, ExchangeKind, Queue, Topology,
};

use super::{
    error::Sql,
    queues::Plan,
    store::{Millis, Store},
};
use crate::{
    missing::Missing,
    port::{BrokerError, TopologyMode},
};

type Arguments = BTreeMap<String, Argument>;

impl Store {
    /// The inner result is the caller's affair; the outer one ends the transaction.
    pub(super) fn topology(
        &mut self,
        topology: &Topology,
        mode: TopologyMode,
        now: Millis,
    ) -> Sql<Result<(), BrokerError>> {
        let (mut missing, mut differing) = (Missing::default(), Vec::new());
        let ours = |exchange: &&Exchange| !self.is_ladder(&exchange.name);
        let exchanges: Vec<_> = topology.exchanges.iter().filter(ours).collect();
        let ours = |queue: &&Queue| self.ladder_level(&queue.name).is_none();
        let queues: Vec<_> = topology.queues.iter().filter(ours).collect();
        for exchange in exchanges {
            let kind = kind(exchange.kind);
            match self.exchange_kind(&exchange.name)? {
                Some(there) if there == kind => {}
                Some(there) => differing.push(format!(
                    "exchange {:?} exists with other settings: it is a {there} one, not {kind}",
                    exchange.name
                )),
                None if mode == TopologyMode::Declare => {
                    self.create_exchange(&exchange.name, kind)?;
                }
                None => missing.exchanges.push(exchange.name.clone()),
            }
        }
        for queue in queues {
            let plan = match plan(queue) {
                Ok(plan) => plan,
                Err(error) => return Ok(Err(error)),
            };
            match self.arguments(&queue.name)? {
                Some(there) if there == plan.arguments => {}
                Some(there) => differing.push(differs(queue, &there)),
                None if mode == TopologyMode::Declare => self.create_queue(&plan, now)?,
                None => missing.queues.push(queue.name.clone()),
            }
        }
        if !differing.is_empty() {
            return Ok(Err(BrokerError::Differs(differing.join("\n"))));
        }
        if !missing.is_empty() {
            return Ok(Err(BrokerError::Incomplete(missing)));
        }
        if mode == TopologyMode::Declare { self.bind_all(topology) } else { Ok(Ok(())) }
    }

    fn bind_all(&mut self, topology: &Topology) -> Sql<Result<(), BrokerError>> {
        for binding in &topology.bindings {
            if self.is_ladder(&binding.source) {
                continue;
            }
            let Destination::Queue(queue) = &binding.destination else {
                return Ok(Err(BrokerError::Config(format!(
                    "the binding of exchange {:?}: this engine binds queues alone, no exchanges",
                    binding.source
                ))));
            };
            self.bind(&binding.source, &binding.routing_key, queue)?;
        }
        Ok(Ok(()))
    }

    fn is_ladder(&self, exchange: &str) -> bool {
        exchange == self.names.delay_foot()
            || (0..DELAY_LEVELS).any(|level| self.names.delay(level) == exchange)
    }

    fn arguments(&self, queue: &str) -> Sql<Option<String>> {
        self.row("SELECT arguments FROM queue WHERE name = ?1", [queue], |row| row.get(0))
    }
}

fn kind(kind: ExchangeKind) -> &'static str {
    match kind {
        ExchangeKind::Direct => "direct",
        ExchangeKind::Topic => "topic",
        ExchangeKind::Fanout => "fanout",
    }
}

/// An argument that this engine cannot honour is refused.
fn plan(queue: &Queue) -> Result<Plan<'_>, BrokerError> {
    let mut plan = Plan {
        name: &queue.name,
        arguments: serde_json::to_string(&queue.arguments).unwrap_or_default(),
        ..Plan::default()
    };
    for (key, value) in &queue.arguments {
        match (key.as_str(), value) {
            // every queue here is durable; there is nothing to replicate
            ("x-queue-type", _) => {}
            ("x-delivery-limit", Argument::Number(limit)) => plan.delivery_limit = Some(*limit),
            ("x-expires", Argument::Number(ms)) => plan.expires = Some(*ms),
            ("x-dead-letter-exchange", Argument::Text(exchange)) if exchange.is_empty() => {}
            ("x-dead-letter-routing-key", Argument::Text(key)) => plan.dead_letters = Some(key),
            _ => {
                return Err(BrokerError::Config(format!(
                    "queue {:?}: the embedded queue has no {key} of {value:?}; leave it out",
                    queue.name
                )));
            }
        }
    }
    Ok(plan)
}

fn differs(queue: &Queue, there: &str) -> String {
    let there: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(there).unwrap_or_default();
    let wanted = |arguments: &Arguments, key: &str| match arguments.get(key) {
        Some(value) => serde_json::to_string(value).unwrap_or_default(),
        None => "nothing".to_owned(),
    };
    let mut keys: Vec<&String> = queue.arguments.keys().chain(there.keys()).collect();
    keys.sort();
    keys.dedup();
    let differences: Vec<String> = keys
        .into_iter()
        .filter_map(|key| {
            let is = there.get(key).map_or_else(|| "nothing".to_owned(), ToString::to_string);
            let wanted = wanted(&queue.arguments, key);
            (is != wanted).then(|| format!("{key} is {is}, not {wanted}"))
        })
        .collect();
    format!("queue {:?} exists with other settings: {}", queue.name, differences.join(", "))
}
