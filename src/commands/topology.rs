//! `actionfleet topology`

use actionfleet_broker::{BrokerError, TopologyMode};
use actionfleet_proto::{Argument, Destination, Topology};
use clap::Subcommand;
use serde_json::{Value, json};

use crate::{
    cli::{Global, Role},
    connect::{connect, connect_to_existing, no_link},
    exit::{Exit, Failure},
    output::{Output, table},
};

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum TopologyCommand {
    /// Create what is missing; what exists with other arguments is an error
    Apply,
    /// Compare only
    Check,
    /// Print what the fleet needs, without asking the broker
    Print,
}

impl TopologyCommand {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let settings = global.start(Role::Tool)?;
        let topology = Topology::new(&settings.names(), settings.lane_names());
        let (mode, answer) = match self {
            Self::Print => {
                global.output().answer(&topology, || text(&topology))?;
                return Ok(Exit::Done);
            }
            Self::Apply => (TopologyMode::Declare, "the topology is in place"),
            Self::Check => (TopologyMode::Verify, "the topology is as it should be"),
        };
        let broker = match mode {
            TopologyMode::Declare => connect(&settings, "topology", None).await?,
            TopologyMode::Verify => connect_to_existing(&settings, "topology").await?,
        };
        let outcome = broker.topology(&topology, mode).await;
        broker.close().await;
        let output = global.output();
        if let Err(error) = outcome {
            if output == Output::Json
                && let Some(found) = found(&error)
            {
                crate::output::json(&found)?;
            }
            return Err(no_link(&settings, &error));
        }
        output.answer(&json!({"ok": true}), || answer.to_owned())?;
        Ok(Exit::Done)
    }
}

/// For programs, what people are told by the error.
fn found(error: &BrokerError) -> Option<Value> {
    match error {
        BrokerError::Incomplete(missing) => {
            let missing = json!({"exchanges": missing.exchanges, "queues": missing.queues});
            Some(json!({"ok": false, "missing": missing}))
        }
        BrokerError::Differs(problems) => {
            let problems: Vec<&str> = problems.lines().collect();
            Some(json!({"ok": false, "problems": problems}))
        }
        _ => None,
    }
}

fn text(topology: &Topology) -> String {
    let exchanges = topology.exchanges.iter().map(|exchange| {
        let kind = serde_json::to_value(exchange.kind).unwrap_or_default();
        ["exchange".into(), exchange.name.clone(), kind.as_str().unwrap_or_default().to_owned()]
    });
    let queues = topology.queues.iter().map(|queue| {
        let arguments = queue.arguments.iter().map(|(key, value)| match value {
            Argument::Text(text) => format!("{key}={text}"),
            Argument::Number(number) => format!("{key}={number}"),
        });
        ["queue".into(), queue.name.clone(), arguments.collect::<Vec<_>>().join(" ")]
    });
    let bindings = topology.bindings.iter().map(|binding| {
        let (Destination::Queue(to) | Destination::Exchange(to)) = &binding.destination;
        let what = format!("to {to} by {}", binding.routing_key);
        ["binding".into(), binding.source.clone(), what]
    });
    table(["WHAT", "NAME", "AS"], exchanges.chain(queues).chain(bindings))
}
