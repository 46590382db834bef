//! Acks of one consuming channel, gathered for a few milliseconds and sent as few frames: one for
//! all deliveries up to a number, single ones for those beyond a gap. A quorum queue writes each
//! ack frame to its log, so this is cheaper for both sides.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures::future::try_join_all;
use lapin::{
    Channel,
    options::{BasicAckOptions, BasicNackOptions},
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::error::broker_error;
use crate::port::{BrokerError, Settle};

/// How long an ack may wait for others.
const LINGER: Duration = Duration::from_millis(4);
/// How long an ack beyond a gap may wait for the gap to close.
const HOLD: Duration = Duration::from_millis(20);

/// Settles on the channel that delivered.
#[derive(Debug)]
pub(super) struct ChannelSettle {
    channel: Channel,
    acks: mpsc::UnboundedSender<u64>,
    unsettled: Unsettled,
}

/// Delivered, and neither acked nor given back: at most as many as the prefetch.
#[derive(Debug, Clone, Default)]
struct Unsettled(Arc<Mutex<BTreeSet<u64>>>);

impl Unsettled {
    fn numbers(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChannelSettle {
    /// `flushed` tracks the task that sends the acks: it ends after `closing`, when all are out.
    pub(super) fn start(
        channel: Channel,
        prefetch: u16,
        closing: CancellationToken,
        flushed: &TaskTracker,
    ) -> Arc<Self> {
        let (acks, waiting) = mpsc::unbounded_channel();
        let unsettled = Unsettled::default();
        let sender = Acks {
            channel: channel.clone(),
            unsettled: unsettled.clone(),
            // more would keep the broker from delivering
            most: usize::from(prefetch / 4).max(1),
            done: BTreeSet::new(),
            passed_over: BTreeSet::new(),
            held_since: Instant::now(),
        };
        flushed.spawn(sender.run(waiting, closing));
        Arc::new(Self { channel, acks, unsettled })
    }

    /// Must be told of each delivery before it is handed out.
    pub(super) fn delivered(&self, number: u64) {
        self.unsettled.numbers().insert(number);
    }

    pub(super) fn unsettled(&self) -> u32 {
        u32::try_from(self.unsettled.numbers().len()).unwrap_or(u32::MAX)
    }
}

#[async_trait]
impl Settle for ChannelSettle {
    async fn ack(&self, number: u64) -> Result<(), BrokerError> {
        let gone = || BrokerError::Link("the channel is closed".into());
        if !self.channel.status().connected() {
            return Err(gone());
        }
        self.acks.send(number).map_err(|_| gone())
    }

    async fn requeue(&self, number: u64) -> Result<(), BrokerError> {
        self.unsettled.numbers().remove(&number);
        let options = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
        let nacked = self.channel.basic_nack(number, options).await;
        nacked.map_err(|error| broker_error(&error))
    }
}

struct Acks {
    channel: Channel,
    unsettled: Unsettled,
    most: usize,
    done: BTreeSet<u64>,
    /// Of `done`, those that wait for a gap to close since `held_since`; then they go singly.
    passed_over: BTreeSet<u64>,
    held_since: Instant,
}

impl Acks {
    async fn run(mut self, mut waiting: mpsc::UnboundedReceiver<u64>, closing: CancellationToken) {
        while let Some(number) = self.next(&mut waiting, &closing).await {
            self.done.extend(number);
            let end = Instant::now() + LINGER;
            while self.done.len() < self.most {
                tokio::select! {
                    biased;
                    number = waiting.recv() => match number {
                        Some(number) => drop(self.done.insert(number)),
                        None => break,
                    },
                    () = sleep_until(end) => break,
                    () = closing.cancelled() => break,
                }
            }
            if self.flush(false).await.is_err() {
                return;
            }
        }
        while let Ok(number) = waiting.try_recv() {
            self.done.insert(number);
        }
        let _ = self.flush(true).await;
    }

    /// `None` at the end; `Some(None)` when what is held must not wait for another number.
    async fn next(
        &self,
        waiting: &mut mpsc::UnboundedReceiver<u64>,
        closing: &CancellationToken,
    ) -> Option<Option<u64>> {
        let held = !self.done.is_empty();
        tokio::select! {
            biased;
            () = closing.cancelled() => None,
            number = waiting.recv() => number.map(Some),
            () = tokio::time::sleep(HOLD), if held => Some(None),
        }
    }

    async fn flush(&mut self, everything: bool) -> lapin::Result<()> {
        let mut frames = Vec::new();
        frames.extend(self.take_prefix().map(|last| (last, true)));
        if everything || self.done.len() >= self.most || self.held_since.elapsed() > HOLD {
            let left = if everything { &self.done } else { &self.passed_over };
            for number in left.clone() {
                self.done.remove(&number);
                self.unsettled.numbers().remove(&number);
                frames.push((number, false));
            }
            self.passed_over.clone_from(&self.done);
            self.held_since = Instant::now();
        }
        // all are queued before the first is awaited
        let sent = frames.into_iter().map(|(number, multiple)| {
            let channel = self.channel.clone();
            async move { channel.basic_ack(number, BasicAckOptions { multiple }).await }
        });
        try_join_all(sent).await.map(|_| ())
    }

    /// The highest number up to which everything is done.
    fn take_prefix(&mut self) -> Option<u64> {
        let mut unsettled = self.unsettled.numbers();
        let mut last = None;
        while let Some(first) = unsettled.first().copied().filter(|first| self.done.remove(first)) {
            unsettled.pop_first();
            self.passed_over.remove(&first);
            last = Some(first);
        }
        last
    }
}
