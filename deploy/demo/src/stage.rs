//! All that the demo starts: what it runs on, the worker, and the producer's link.

use std::{fs, path::Path, sync::Arc, time::Duration};

use actionfleet_broker::Broker;
use actionfleet_producer::{Producer, ProducerConfig};
use actionfleet_proto::Names;
use anyhow::{Context, bail};
use tokio::time::sleep;

use crate::{
    ground::{Ground, On},
    say,
    service::Service,
    worker::{Log, Worker},
};

pub(crate) const LANE: &str = "default";

/// Few enough that jobs queue.
const PERMITS: u16 = 16;

const POLL: Duration = Duration::from_millis(20);

/// Dropped, everything is killed.
pub(crate) struct Stage {
    pub(crate) producer: Producer,
    // before what it runs on, or it would look for it while that goes
    pub(crate) worker: Worker,
    broker: Arc<dyn Broker>,
    _ground: Ground,
}

impl Stage {
    /// Returns once the worker consumes.
    pub(crate) async fn set(on: On, folder: &Path, service: &Service) -> anyhow::Result<Self> {
        let ground = Ground::prepare(on, folder).await?;
        say(&format!("Starting a worker, which logs to {} …", Log::inside(folder)));
        let worker = start_worker(folder, &ground, service)?;
        let broker = ground.link().await?;
        let producer = Producer::new(Arc::clone(&broker), ProducerConfig::default());
        let mut stage = Self { producer, worker, broker, _ground: ground };
        stage.worker_consumes().await?;
        Ok(stage)
    }

    async fn worker_consumes(&mut self) -> anyhow::Result<()> {
        let queue = Names::default().lane(LANE);
        let (broker, worker) = (&self.broker, &mut self.worker);
        let consumes = async {
            while broker.depth(&queue).await?.consumers == 0 {
                sleep(POLL).await;
            }
            anyhow::Ok(())
        };
        tokio::select! {
            ready = consumes => ready,
            status = worker.ended() => bail!("the worker did not start: {}", status?),
        }
    }

    /// Stops everything in good order.
    pub(crate) async fn clear(self) -> anyhow::Result<()> {
        self.worker.stop().await?;
        self.broker.close().await;
        Ok(())
    }
}

fn start_worker(folder: &Path, ground: &Ground, service: &Service) -> anyhow::Result<Worker> {
    let definitions = folder.join("definitions");
    let provider = serde_json::to_string_pretty(&service.provider)?;
    fs::create_dir(&definitions)
        .and_then(|()| fs::write(definitions.join("provider.json"), provider))
        .with_context(|| format!("cannot write to {}", definitions.display()))?;
    let settings = [
        format!("definitions.path={}", definitions.display()),
        format!("lanes.{LANE}.permits={PERMITS}"),
        // nothing is in flight when it is stopped, unless something went wrong
        "worker.grace=1s".to_owned(),
        "admin.listen=off".to_owned(),
        "log.format=text".to_owned(),
    ];
    Worker::start(folder, &ground.command(), &settings, service.environment())
}
