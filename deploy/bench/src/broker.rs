//! What the benchmark itself does on the broker.

use std::time::{Duration, Instant};

use anyhow::bail;
use futures::StreamExt;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{
        BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions,
        QueuePurgeOptions,
    },
    types::{AMQPValue, FieldTable},
};

pub(crate) const REPLIES: &str = "bench.replies";

/// A connection with a confirming channel.
pub(crate) struct Desk {
    _connection: Connection,
    pub(crate) channel: Channel,
}

impl Desk {
    pub(crate) async fn open(url: &str) -> anyhow::Result<Self> {
        let connection = Connection::connect(url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self { _connection: connection, channel })
    }

    /// An empty durable quorum queue.
    pub(crate) async fn fresh_queue(&self, name: &str) -> anyhow::Result<()> {
        self.channel.queue_delete(name.into(), QueueDeleteOptions::default()).await?;
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        self.channel.queue_declare(name.into(), durable, arguments).await?;
        Ok(())
    }

    pub(crate) async fn purge(&self, queue: &str) -> anyhow::Result<()> {
        self.channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await?;
        Ok(())
    }

    pub(crate) async fn depth(&self, queue: &str) -> anyhow::Result<u32> {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue =
            self.channel.queue_declare(queue.into(), passive, FieldTable::default()).await?;
        Ok(queue.message_count())
    }

    pub(crate) async fn consumers(&self, queue: &str) -> anyhow::Result<u32> {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue =
            self.channel.queue_declare(queue.into(), passive, FieldTable::default()).await?;
        Ok(queue.consumer_count())
    }

    /// Puts `count` jobs on the queue, confirmed.
    pub(crate) async fn fill(&self, queue: &str, count: u32) -> anyhow::Result<()> {
        let publishes = futures::stream::iter(0..count).map(|n| self.publish(queue, n));
        let mut confirmed = publishes.buffer_unordered(1_000);
        while let Some(outcome) = confirmed.next().await {
            outcome?;
        }
        Ok(())
    }

    pub(crate) async fn publish(&self, queue: &str, number: u32) -> anyhow::Result<()> {
        let properties = BasicProperties::default()
            .with_delivery_mode(2)
            .with_message_id(format!("job-{number:08}").as_str().into())
            .with_reply_to(REPLIES.into());
        let options = BasicPublishOptions::default();
        let confirm = self
            .channel
            .basic_publish("".into(), queue.into(), options, &body(number), properties)
            .await?;
        confirm.await?;
        Ok(())
    }

    /// Waits until a queue holds at least `count` messages; how many it holds, and when.
    pub(crate) async fn reaches(
        &self,
        queue: &str,
        count: u32,
        limit: Duration,
    ) -> anyhow::Result<(u32, Instant)> {
        let end = Instant::now() + limit;
        loop {
            let depth = self.depth(queue).await?;
            if depth >= count {
                return Ok((depth, Instant::now()));
            }
            if Instant::now() > end {
                bail!("{queue} holds {depth} of {count} messages after {limit:?}");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A job of 150 bytes.
pub(crate) fn body(number: u32) -> Vec<u8> {
    format!(
        r#"{{"id":"job-{number:08}","action":"bench","input":{{"text":"A short paragraph of text that an editor would like refined, some eighty characters long."}}}}"#
    )
    .into_bytes()
}
