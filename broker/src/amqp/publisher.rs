//! One task owns one publishing channel, with a bounded window of unconfirmed messages.
//!
//! A single owner keeps confirm tags and frames in the same order, and awaits every confirm, so
//! that none piles up inside the client.

use std::collections::BTreeMap;

use actionfleet_proto::Names;
use bytes::Bytes;
use futures::{StreamExt, stream::FuturesUnordered};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection,
    message::BasicReturnMessage,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::ShortString,
};
use tokio::sync::{mpsc, oneshot};

use super::convert::{TooLong, route, to_amqp};
use crate::{
    message::{Address, Message},
    port::PublishError,
};

/// One message, ready for the wire.
#[derive(Debug)]
struct Publish {
    exchange: ShortString,
    routing_key: ShortString,
    mandatory: bool,
    properties: BasicProperties,
    body: Bytes,
    outcome: oneshot::Sender<Result<(), PublishError>>,
}

/// The way to the task that owns the channel.
#[derive(Debug, Clone)]
pub(super) struct Publisher {
    requests: mpsc::Sender<Publish>,
}

impl Publisher {
    /// Opens a channel with confirms and starts its task; `failed` hears why it ended.
    pub(super) async fn open(
        connection: &Connection,
        window: usize,
        failed: mpsc::Sender<String>,
    ) -> lapin::Result<Self> {
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let (requests, inbox) = mpsc::channel(window.max(1));
        tokio::spawn(async move {
            let mut owner = Owner { channel, window: window.max(1), unconfirmed: BTreeMap::new() };
            if let Err(error) = owner.run(inbox).await {
                let _ = failed.try_send(format!("publishing channel: {error}"));
            }
        });
        Ok(Self { requests })
    }

    pub(super) async fn publish(
        &self,
        names: &Names,
        to: &Address,
        message: Message,
    ) -> Result<(), PublishError> {
        let chosen = match to {
            Address::Queue(name) | Address::Exchange { exchange: name, .. } => Some(name),
            _ => None,
        };
        if let Some(name) = chosen.filter(|name| names.is_reserved(name)) {
            return Err(PublishError::Unroutable(format!("{name:?} is the fleet's own")));
        }
        let too_long = |TooLong| PublishError::Unroutable("a name has more than 255 bytes".into());
        let (exchange, routing_key) = route(names, to).map_err(too_long)?;
        let properties = to_amqp(message.properties).map_err(too_long)?;
        let (outcome, confirmed) = oneshot::channel();
        let publish = Publish {
            exchange,
            routing_key,
            mandatory: to.must_arrive(),
            properties,
            body: message.body,
            outcome,
        };
        self.requests.send(publish).await.map_err(|_| PublishError::LinkLost)?;
        confirmed.await.unwrap_or(Err(PublishError::LinkLost))
    }
}

/// What a returned message is recognised by, and where the word of its fate goes.
struct Unconfirmed {
    exchange: ShortString,
    routing_key: ShortString,
    message_id: Option<ShortString>,
    returned: Option<String>,
    outcome: oneshot::Sender<Result<(), PublishError>>,
}

struct Owner {
    channel: Channel,
    window: usize,
    unconfirmed: BTreeMap<u64, Unconfirmed>,
}

impl Owner {
    /// Until the link or all publishers are gone. Dropping what is unconfirmed tells its callers.
    async fn run(&mut self, mut inbox: mpsc::Receiver<Publish>) -> lapin::Result<()> {
        let mut confirms = FuturesUnordered::new();
        let mut number = 0;
        loop {
            tokio::select! {
                biased;
                Some((number, confirmation)) = confirms.next() => {
                    self.confirmed(number, confirmation?);
                }
                publish = inbox.recv(), if confirms.len() < self.window => {
                    let Some(publish) = publish else { break };
                    number += 1;
                    confirms.push(self.send(number, publish));
                }
            }
        }
        while let Some((number, confirmation)) = confirms.next().await {
            self.confirmed(number, confirmation?);
        }
        Ok(())
    }

    fn send(
        &mut self,
        number: u64,
        publish: Publish,
    ) -> impl Future<Output = (u64, lapin::Result<Confirmation>)> + use<> {
        let Publish { exchange, routing_key, mandatory, properties, body, outcome } = publish;
        let unconfirmed = Unconfirmed {
            exchange: exchange.clone(),
            routing_key: routing_key.clone(),
            message_id: properties.message_id().clone(),
            returned: None,
            outcome,
        };
        self.unconfirmed.insert(number, unconfirmed);
        let channel = self.channel.clone();
        async move {
            let options = BasicPublishOptions { mandatory, ..BasicPublishOptions::default() };
            let sent =
                channel.basic_publish(exchange, routing_key, options, &body, properties).await;
            let confirmation = match sent {
                Ok(confirm) => confirm.await,
                Err(error) => Err(error),
            };
            (number, confirmation)
        }
    }

    fn confirmed(&mut self, number: u64, confirmation: Confirmation) {
        let refused = confirmation.is_nack();
        if let Some(returned) = confirmation.take_message() {
            self.mark_returned(&returned);
        }
        let Some(unconfirmed) = self.unconfirmed.remove(&number) else { return };
        let outcome = match unconfirmed.returned {
            Some(why) => Err(PublishError::Unroutable(why)),
            None if refused => Err(PublishError::Refused),
            None => Ok(()),
        };
        // a caller that no longer waits has given the job up
        let _ = unconfirmed.outcome.send(outcome);
    }

    /// A returned message comes with *a* confirm, not always its own: the client hands it to the
    /// first confirm that arrives, and never later than to its own.
    fn mark_returned(&mut self, returned: &BasicReturnMessage) {
        let delivery = &returned.delivery;
        let found = self.unconfirmed.values_mut().find(|unconfirmed| {
            unconfirmed.returned.is_none()
                && unconfirmed.routing_key == delivery.routing_key
                && unconfirmed.exchange == delivery.exchange
                && unconfirmed.message_id == *delivery.properties.message_id()
        });
        if let Some(unconfirmed) = found {
            let to = if delivery.exchange.as_str().is_empty() {
                format!("queue {:?}", delivery.routing_key.as_str())
            } else {
                format!(
                    "exchange {:?} with routing key {:?}",
                    delivery.exchange.as_str(),
                    delivery.routing_key.as_str()
                )
            };
            unconfirmed.returned = Some(format!("{to} ({})", returned.reply_text));
        }
    }
}
