//! Tells workers that the catalog has changed, so that they need not find it out by themselves.

use std::time::Duration;

use actionfleet_broker::embedded::Embedded;
use actionfleet_producer::Producer;

use super::Session;
use crate::connect::link;

/// Workers look by themselves, too: what cannot be told at once is not told.
const PATIENCE: Duration = Duration::from_secs(1);

impl Session {
    pub(super) async fn announce(&self) {
        let told = tokio::time::timeout(PATIENCE.saturating_mul(2), self.tell()).await;
        match told {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(error, "workers are not told of the change"),
            Err(_) => tracing::debug!("workers are not told of the change in time"),
        }
    }

    async fn tell(&self) -> Result<(), String> {
        let settings = &self.settings;
        let is_nowhere = match settings.broker.url.folder() {
            Some(folder) => !Embedded::is_in(folder),
            None => settings.is_default("broker.url"),
        };
        if is_nowhere {
            return Ok(());
        }
        let linked = link(settings, "catalog", None, Some(PATIENCE)).await;
        let broker = linked.map_err(|error| error.to_string())?;
        let producer = Producer::new(broker.clone(), settings.producer_config());
        let told = producer.tell_catalog_changed().await;
        broker.close().await;
        told.map_err(|error| error.to_string())
    }
}
