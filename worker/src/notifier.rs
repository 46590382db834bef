//! Notifications on their way out: best effort, and never in a job's way.

use std::sync::Arc;

use actionfleet_broker::{Address, Broker, Message};
use futures::{StreamExt, stream::poll_fn};
use prometheus::IntCounter;
use tokio::sync::mpsc;

/// Notifications waiting to be published; more are dropped and counted.
const WAITING: usize = 10_000;
const IN_FLIGHT: usize = 64;

#[derive(Debug, Clone)]
pub(crate) struct Notifier {
    notes: mpsc::Sender<(Message, String)>,
    dropped: IntCounter,
}

impl Notifier {
    pub(crate) fn start(broker: Arc<dyn Broker>, dropped: IntCounter) -> Self {
        let (notes, mut waiting) = mpsc::channel(WAITING);
        let unpublished = dropped.clone();
        tokio::spawn(async move {
            let publish = |(message, routing_key)| {
                let (broker, unpublished) = (broker.clone(), unpublished.clone());
                async move {
                    let to = Address::Notifications { routing_key };
                    if broker.publish(&to, message).await.is_err() {
                        unpublished.inc();
                    }
                }
            };
            let notes = poll_fn(move |cx| waiting.poll_recv(cx));
            notes.for_each_concurrent(IN_FLIGHT, publish).await;
        });
        Self { notes, dropped }
    }

    pub(crate) fn send(&self, note: (Message, String)) {
        if self.notes.try_send(note).is_err() {
            self.dropped.inc();
        }
    }
}
