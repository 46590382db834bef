//! What is said to every worker at once: cancellations.

use actionfleet_broker::{Consumer, Delivery};
use actionfleet_proto::Control;

use crate::running::Running;

const PREFETCH: u16 = 100;

pub(crate) const fn prefetch() -> u16 {
    PREFETCH
}

/// Until the consumer is stopped.
pub(crate) async fn listen(mut consumer: Consumer, running: Running) {
    while let Some(delivery) = consumer.next().await {
        heed(&delivery, &running);
        // a lost link loses its control queue as well: nothing comes again
        let _ = delivery.ack().await;
    }
}

fn heed(delivery: &Delivery, running: &Running) {
    match serde_json::from_slice(&delivery.body) {
        Ok(Control::Cancel { id }) => {
            tracing::info!(job_id = %id, "cancelled on request");
            running.cancel(&id);
        }
        // from a later version, or from a stranger
        Err(error) => tracing::debug!(%error, "a control message that is not known here"),
    }
}
