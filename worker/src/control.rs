//! What is said to every worker at once: cancellations, changes of the catalog, and the question
//! what it executes.

use std::sync::Arc;

use actionfleet_broker::{Consumer, Delivery};
use actionfleet_proto::{Control, check_job_id};

use crate::{definitions::Definitions, report::Reporter, running::Running, worker::Worker};

const PREFETCH: u16 = 100;
/// Control messages are short; the rest is from strangers.
const LONGEST: usize = 4 * 1024;

pub(crate) const fn prefetch() -> u16 {
    PREFETCH
}

/// Until the consumer is stopped.
pub(crate) async fn listen(mut consumer: Consumer, worker: Arc<Worker>) {
    let (running, definitions) = (worker.running.clone(), worker.definitions.clone());
    let reporter = Reporter::new(worker);
    while let Some(delivery) = consumer.next().await {
        heed(&delivery, &running, &reporter, &definitions);
        // a lost link loses its control queue as well: nothing comes again
        let _ = delivery.ack().await;
    }
}

fn heed(delivery: &Delivery, running: &Running, reporter: &Reporter, definitions: &Definitions) {
    if delivery.body.len() > LONGEST {
        return;
    }
    match serde_json::from_slice(&delivery.body) {
        Ok(Control::Cancel { id }) if check_job_id(&id).is_ok() => {
            tracing::info!(job_id = %id, "cancelled on request");
            running.cancel(&id);
        }
        Ok(Control::Cancel { .. }) => tracing::debug!("a cancellation of what is no job id"),
        Ok(Control::Report) => reporter.answer(&delivery.properties),
        Ok(Control::CatalogChanged) => definitions.look(),
        // from a later version, or from a stranger
        Err(error) => tracing::debug!(%error, "a control message that is not known here"),
    }
}
