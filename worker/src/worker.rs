//! What every stage of the pipeline may touch.

use std::sync::Arc;

use actionfleet_broker::Broker;
use tokio_util::sync::CancellationToken;

use crate::{
    config::WorkerConfig, definitions::Definitions, handlers::Handlers, ledger::Books,
    metrics::Metrics, notifier::Notifier, running::Running, stage::Observer,
};

#[derive(Debug)]
pub(crate) struct Worker {
    /// One per run, by which reports are told apart.
    pub(crate) id: String,
    pub(crate) config: WorkerConfig,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) handlers: Handlers,
    pub(crate) definitions: Arc<Definitions>,
    /// Where there is a ledger.
    pub(crate) books: Option<Books>,
    pub(crate) metrics: Metrics,
    pub(crate) notifier: Notifier,
    pub(crate) running: Running,
    /// Fires when jobs in flight are to be put back.
    pub(crate) interrupt: CancellationToken,
    pub(crate) observer: Observer,
}
