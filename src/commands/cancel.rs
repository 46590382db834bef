//! `actionfleet cancel`

use actionfleet_producer::Producer;
use clap::Args;
use serde_json::json;

use super::enqueue::submit_failure;
use crate::{
    cli::{Global, Role},
    connect::connect,
    exit::{Exit, Failure},
};

#[derive(Debug, Args)]
pub(crate) struct CancelArgs {
    /// The job's id
    id: String,
}

impl CancelArgs {
    pub(super) async fn run(self, global: &Global) -> Result<Exit, Failure> {
        let settings = global.start(Role::Tool)?;
        let topology = Some(settings.topology_mode());
        let broker = connect(&settings, "cancel", topology).await?;
        let producer = Producer::new(broker.clone(), settings.producer_config());
        let cancelled = producer.cancel(&self.id).await;
        broker.close().await;
        cancelled.map_err(|error| submit_failure(&error))?;
        global.output().answer(&json!({"id": self.id, "asked": true}), || {
            format!("asked every worker to stop job {}", self.id)
        })?;
        Ok(Exit::Done)
    }
}
