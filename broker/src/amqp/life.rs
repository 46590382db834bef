//! How an epoch of the link ends.

use std::sync::Arc;

use lapin::Channel;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::acks::ChannelSettle;

/// What all that belongs to an epoch shares: how it ends.
#[derive(Debug, Default)]
pub(super) struct Life {
    /// Fires when the acks that wait must go out.
    closing: CancellationToken,
    flushed: TaskTracker,
    /// Fires when nothing can be settled any more.
    pub(super) lost: CancellationToken,
}

impl Life {
    pub(super) fn settle(&self, channel: Channel, prefetch: u16) -> Arc<ChannelSettle> {
        ChannelSettle::start(channel, prefetch, self.closing.clone(), &self.flushed)
    }

    /// Sends what acks still wait; no more are taken.
    pub(super) async fn flush(&self) {
        self.closing.cancel();
        self.flushed.close();
        self.flushed.wait().await;
    }
}
