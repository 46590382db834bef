//! Consuming one source over one epoch: a channel of its own, deliveries passed on, settling.

use std::sync::Arc;

use actionfleet_proto::Names;
use bytes::Bytes;
use futures::StreamExt;
use lapin::{
    Channel, Connection,
    options::{
        BasicCancelOptions, BasicConsumeOptions, BasicQosOptions, QueueBindOptions,
        QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable, ShortString},
};
use tokio::sync::mpsc::{self, error::SendError};
use tokio_util::sync::CancellationToken;

use super::{
    acks::ChannelSettle,
    convert::{TooLong, from_amqp, short},
    error::broker_error,
    life::Life,
};
use crate::{
    message::Message,
    port::{BrokerError, Delivery, Settle, Source},
};

/// A reply queue outlives its consumer by this much, so that no reply is lost over a repair.
const REPLIES_EXPIRE_MS: i64 = 10 * 60 * 1000;

/// A wish to consume; it outlives epochs.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) source: Source,
    pub(super) prefetch: u16,
    pub(super) deliveries: mpsc::Sender<Delivery>,
    pub(super) stop: CancellationToken,
}

impl Subscription {
    pub(super) fn is_over(&self) -> bool {
        self.stop.is_cancelled() || self.deliveries.is_closed()
    }

    /// Starts consuming on this connection; `failed` hears when the broker ends it.
    pub(super) async fn start(
        self: Arc<Self>,
        connection: &Connection,
        names: &Names,
        life: &Life,
        failed: mpsc::Sender<String>,
    ) -> Result<(), BrokerError> {
        let open = async {
            let channel = connection.create_channel().await?;
            channel.basic_qos(self.prefetch, BasicQosOptions::default()).await?;
            let queue = self.queue(&channel, names).await?;
            let options = BasicConsumeOptions::default();
            let consumer = channel
                .basic_consume(queue, ShortString::default(), options, FieldTable::default())
                .await?;
            Ok((channel, consumer))
        };
        let (channel, consumer) = open.await.map_err(|error| broker_error(&error))?;
        let settle = life.settle(channel.clone(), self.prefetch);
        let lost = life.lost.clone();
        tokio::spawn(async move {
            if let Err(why) = self.pass_on(channel, consumer, &settle, &lost).await {
                let _ = failed.try_send(why);
            }
        });
        Ok(())
    }

    /// The queue to consume from, declared where it is this process's own.
    async fn queue(&self, channel: &Channel, names: &Names) -> lapin::Result<ShortString> {
        let name = |text: &str| short(text).map_err(|TooLong| too_long());
        match &self.source {
            Source::Lane(lane) => name(&names.lane(lane)),
            Source::Queue(queue) => name(queue),
            Source::Replies(queue) => {
                let mut arguments = FieldTable::default();
                arguments.insert("x-expires".into(), AMQPValue::LongLongInt(REPLIES_EXPIRE_MS));
                let options =
                    QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
                channel.queue_declare(name(queue)?, options, arguments).await?;
                name(queue)
            }
            Source::Answers(queue) => {
                let (options, none) = (ours_alone(), FieldTable::default());
                channel.queue_declare(name(queue)?, options, none).await?;
                name(queue)
            }
            Source::Control => {
                let (options, none) = (ours_alone(), FieldTable::default());
                let queue = channel.queue_declare(ShortString::default(), options, none).await?;
                let (queue, control) = (queue.name().clone(), name(&names.control())?);
                let bind = QueueBindOptions::default();
                let (key, none) = (ShortString::default(), FieldTable::default());
                channel.queue_bind(queue.clone(), control, key, bind, none).await?;
                Ok(queue)
            }
        }
    }

    async fn pass_on(
        &self,
        channel: Channel,
        mut consumer: lapin::Consumer,
        settle: &Arc<ChannelSettle>,
        lost: &CancellationToken,
    ) -> Result<(), String> {
        loop {
            let next = tokio::select! {
                biased;
                () = lost.cancelled() => return Ok(()),
                () = self.stop.cancelled() => break,
                next = consumer.next() => next,
            };
            match next {
                Some(Ok(delivery)) => {
                    let delivery = received(delivery, lost, settle);
                    if let Err(SendError(delivery)) = self.deliveries.send(delivery).await {
                        let _ = delivery.requeue().await;
                        break;
                    }
                }
                Some(Err(error)) => return Err(format!("consuming {:?}: {error}", self.source)),
                None => return Err(format!("the broker cancelled consuming {:?}", self.source)),
            }
        }
        self.give_back(&channel, consumer, settle).await;
        lost.cancelled().await;
        Ok(())
    }

    /// After a stop: no more deliveries, and those not passed on yet go to other consumers. The
    /// channel stays open for settling those that were.
    async fn give_back(
        &self,
        channel: &Channel,
        mut consumer: lapin::Consumer,
        settle: &Arc<ChannelSettle>,
    ) {
        if channel.basic_cancel(consumer.tag(), BasicCancelOptions::default()).await.is_err() {
            return;
        }
        while let Some(Ok(delivery)) = consumer.next().await {
            let _ = settle.requeue(delivery.delivery_tag).await;
        }
    }
}

/// Gone with its consumer, and with the connection.
fn ours_alone() -> QueueDeclareOptions {
    QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() }
}

pub(super) fn received(
    delivery: lapin::message::Delivery,
    lost: &CancellationToken,
    settle: &Arc<ChannelSettle>,
) -> Delivery {
    settle.delivered(delivery.delivery_tag);
    let (properties, delivery_count) = from_amqp(&delivery.properties);
    // 3.10 counts from the second redelivery's header on; the flag tells of the first
    let delivery_count = delivery_count.max(u64::from(delivery.redelivered));
    let message = Message { body: Bytes::from(delivery.data), properties };
    let settle: Arc<dyn Settle> = settle.clone();
    Delivery::new(message, delivery_count, lost.clone(), settle, delivery.delivery_tag)
}

fn too_long() -> lapin::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidInput, "a name has more than 255 bytes").into()
}
