//! Declares the topology, or compares it with what is there.

use actionfleet_proto::{Binding, Destination, Exchange, ExchangeKind, Queue, Topology};
use lapin::{
    Channel, Connection,
    options::{ExchangeBindOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::FieldTable,
};

use super::{
    convert::{TooLong, arguments, short},
    error::{broker_error, reply_code},
};
use crate::{
    missing::Missing,
    port::{BrokerError, TopologyMode},
};

const ACCESS_REFUSED: u16 = 403;
const PRECONDITION_FAILED: u16 = 406;

/// Every difference at once in [`TopologyMode::Verify`]; the first one in
/// [`TopologyMode::Declare`]. Bindings cannot be read over AMQP, so verifying leaves them out.
pub(super) async fn ensure(
    connection: &Connection,
    topology: &Topology,
    mode: TopologyMode,
) -> Result<(), BrokerError> {
    match mode {
        TopologyMode::Declare => declare(connection, topology).await,
        TopologyMode::Verify => verify(connection, topology).await,
    }
}

async fn declare(connection: &Connection, topology: &Topology) -> Result<(), BrokerError> {
    let channel = open(connection).await?;
    for exchange in &topology.exchanges {
        let declared = declare_exchange(&channel, exchange, false).await;
        declared.map_err(|error| explain(&error, "exchange", &exchange.name))?;
    }
    for queue in &topology.queues {
        let declared = declare_queue(&channel, queue, false).await;
        declared.map_err(|error| explain(&error, "queue", &queue.name))?;
    }
    for binding in &topology.bindings {
        bind(&channel, binding).await.map_err(|error| broker_error(&error))?;
    }
    Ok(())
}

/// A failed check closes its channel, so each has its own.
async fn verify(connection: &Connection, topology: &Topology) -> Result<(), BrokerError> {
    let (mut missing, mut differing) = (Missing::default(), Vec::new());
    for exchange in &topology.exchanges {
        let there = declare_exchange(&open(connection).await?, exchange, true).await;
        if is_missing(there)? {
            missing.exchanges.push(exchange.name.clone());
            continue;
        }
        let declared = declare_exchange(&open(connection).await?, exchange, false).await;
        sort(declared.err(), "exchange", &exchange.name, &mut differing);
    }
    for queue in &topology.queues {
        let there = declare_queue(&open(connection).await?, queue, true).await;
        if is_missing(there)? {
            missing.queues.push(queue.name.clone());
            continue;
        }
        let declared = declare_queue(&open(connection).await?, queue, false).await;
        sort(declared.err(), "queue", &queue.name, &mut differing);
    }
    if !differing.is_empty() {
        differing.extend((!missing.is_empty()).then(|| missing.to_string()));
        return Err(BrokerError::Differs(differing.join("\n")));
    }
    if missing.is_empty() { Ok(()) } else { Err(BrokerError::Incomplete(missing)) }
}

/// What else fails says nothing about the topology.
fn is_missing(there: lapin::Result<()>) -> Result<bool, BrokerError> {
    match there.map_err(|error| broker_error(&error)) {
        Ok(()) => Ok(false),
        Err(BrokerError::Missing(_)) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Without the right to declare, that it exists is all that can be known.
fn sort(error: Option<lapin::Error>, what: &str, name: &str, differing: &mut Vec<String>) {
    match error {
        Some(error) if reply_code(&error) == Some(ACCESS_REFUSED) => {}
        Some(error) => differing.push(explain(&error, what, name).to_string()),
        None => {}
    }
}

async fn open(connection: &Connection) -> Result<Channel, BrokerError> {
    connection.create_channel().await.map_err(|error| broker_error(&error))
}

async fn declare_exchange(
    channel: &Channel,
    exchange: &Exchange,
    passive: bool,
) -> lapin::Result<()> {
    let kind = match exchange.kind {
        ExchangeKind::Direct => lapin::ExchangeKind::Direct,
        ExchangeKind::Topic => lapin::ExchangeKind::Topic,
        ExchangeKind::Fanout => lapin::ExchangeKind::Fanout,
    };
    let options =
        ExchangeDeclareOptions { durable: true, passive, ..ExchangeDeclareOptions::default() };
    let name = short(&exchange.name).map_err(|TooLong| too_long())?;
    channel.exchange_declare(name, kind, options, FieldTable::default()).await
}

async fn declare_queue(channel: &Channel, queue: &Queue, passive: bool) -> lapin::Result<()> {
    let options = QueueDeclareOptions { durable: true, passive, ..QueueDeclareOptions::default() };
    let name = short(&queue.name).map_err(|TooLong| too_long())?;
    let arguments = arguments(&queue.arguments).map_err(|TooLong| too_long())?;
    channel.queue_declare(name, options, arguments).await.map(|_| ())
}

async fn bind(channel: &Channel, binding: &Binding) -> lapin::Result<()> {
    let name = |text: &str| short(text).map_err(|TooLong| too_long());
    let (source, key) = (name(&binding.source)?, name(&binding.routing_key)?);
    let none = FieldTable::default();
    match &binding.destination {
        Destination::Queue(queue) => {
            channel.queue_bind(name(queue)?, source, key, QueueBindOptions::default(), none).await
        }
        Destination::Exchange(exchange) => {
            let options = ExchangeBindOptions::default();
            channel.exchange_bind(name(exchange)?, source, key, options, none).await
        }
    }
}

fn too_long() -> lapin::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidInput, "a name has more than 255 bytes").into()
}

fn explain(error: &lapin::Error, what: &str, name: &str) -> BrokerError {
    match (reply_code(error), error.kind()) {
        (Some(PRECONDITION_FAILED), lapin::ErrorKind::ProtocolError(amqp)) => {
            BrokerError::Differs(format!(
                "{what} {name:?} exists with other settings: {}; delete it once it is empty, or \
                 choose another `broker.prefix`",
                amqp.get_message()
            ))
        }
        _ => broker_error(error),
    }
}
