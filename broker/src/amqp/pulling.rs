//! Messages taken one by one, and put back at the end.

use std::{sync::Arc, time::Duration};

use lapin::{
    Channel, Connection,
    options::{BasicGetOptions, BasicNackOptions, QueueDeclareOptions},
    types::{FieldTable, ShortString},
};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{acks::ChannelSettle, subscription::received};
use crate::port::{Delivery, Depth};

/// A quorum queue puts back what it is given only once it has written that to its log.
const LOOK: Duration = Duration::from_millis(5);
/// Somebody else may take what comes back, before it is seen.
const LONGEST: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Pulling {
    channel: Channel,
    settle: Arc<ChannelSettle>,
    /// The one that was asked last.
    queue: ShortString,
}

impl Pulling {
    pub(super) fn new(channel: Channel, settle: Arc<ChannelSettle>) -> Self {
        Self { channel, settle, queue: ShortString::default() }
    }

    pub(super) fn is_open(&self) -> bool {
        self.channel.status().connected()
    }

    pub(super) async fn pull(
        &mut self,
        queue: ShortString,
        lost: &CancellationToken,
    ) -> lapin::Result<Option<Delivery>> {
        self.queue = queue.clone();
        let got = self.channel.basic_get(queue, BasicGetOptions::default()).await?;
        Ok(got.map(|message| received(message.delivery, lost, &self.settle)))
    }

    /// Puts back what is not settled, so that whoever looks next finds it.
    pub(super) async fn end(self, connection: &Connection) {
        let _ = timeout(LONGEST, self.put_back(connection)).await;
    }

    async fn put_back(self, connection: &Connection) -> lapin::Result<()> {
        let count = self.settle.unsettled();
        if count == 0 {
            return Ok(());
        }
        let looking = connection.create_channel().await?;
        let before = depth(&looking, self.queue.clone()).await?.ready;
        let all = BasicNackOptions { multiple: true, requeue: true };
        self.channel.basic_nack(0, all).await?;
        while depth(&looking, self.queue.clone()).await?.ready < before.saturating_add(count) {
            sleep(LOOK).await;
        }
        Ok(())
    }
}

pub(super) async fn depth(channel: &Channel, queue: ShortString) -> lapin::Result<Depth> {
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare(queue, passive, FieldTable::default()).await?;
    Ok(Depth { ready: queue.message_count(), consumers: queue.consumer_count() })
}
