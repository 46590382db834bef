//! A worker process: lanes in, outcomes out, and the way it stops.

use std::{future::Future, sync::Arc, time::Duration};

use actionfleet_broker::{Broker, BrokerError, Consumer, Source};
use actionfleet_proto::new_job_id;
use actionfleet_store::Store;
use prometheus::Registry;
use tokio::sync::{Semaphore, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    backend::{Backends, BackendsError},
    config::{LedgerPolicy, WorkerConfig},
    control,
    definitions::{Definitions, OpenError, Source as DefinitionSource},
    handler::Handler,
    handlers::{DuplicateHandler, Handlers},
    ledger::{Books, LedgerMetrics},
    metrics::Metrics,
    notifier::Notifier,
    pipeline,
    running::Running,
    secrets::{EnvSecrets, Secrets, StoreSecrets, keep_rotated},
    signal,
    stage::{Observer, Stage},
    worker::Worker,
};

/// What jobs get to end by themselves once their context is cancelled.
const AFTER_CANCEL: Duration = Duration::from_secs(5);

/// Workers of one process, ready to run.
#[derive(Debug)]
pub struct Fleet {
    config: WorkerConfig,
    broker: Arc<dyn Broker>,
    store: Option<Store>,
    registry: Registry,
    metrics: Metrics,
    handlers: Handlers,
    ledger_metrics: LedgerMetrics,
    ledger_trouble: watch::Sender<Option<String>>,
    working: watch::Sender<bool>,
    observer: Observer,
}

#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    #[error(transparent)]
    Handler(#[from] DuplicateHandler),
    #[error(transparent)]
    Definitions(#[from] OpenError),
    #[error(transparent)]
    Backends(#[from] BackendsError),
    #[error("cannot register the metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// Ids of jobs that neither ended nor could be put back. The queue delivers them again.
    pub left: Vec<String>,
}

impl Fleet {
    /// With the built-in handlers.
    pub fn new(
        config: WorkerConfig,
        broker: Arc<dyn Broker>,
        store: Option<Store>,
        registry: Registry,
    ) -> Result<Self, FleetError> {
        let backends =
            Arc::new(Backends::new(&config.http, &config.breaker, &config.limits, &registry)?);
        let secrets: Arc<dyn Secrets> = match &store {
            Some(store) => Arc::new(StoreSecrets::new(store.secrets.clone(), EnvSecrets::new())),
            None => Arc::new(EnvSecrets::new()),
        };
        let handlers = Handlers::built_in(&backends, &secrets)?;
        Ok(Self {
            metrics: Metrics::register(&registry)?,
            ledger_metrics: LedgerMetrics::register(&registry)?,
            ledger_trouble: watch::Sender::new(None),
            working: watch::Sender::new(false),
            observer: Observer::default(),
            config,
            broker,
            store,
            registry,
            handlers,
        })
    }

    /// Adds a handler of your own behind the built-in ones.
    pub fn handler(mut self, handler: impl Handler) -> Result<Self, FleetError> {
        self.handlers.register(handler)?;
        Ok(self)
    }

    /// Calls `observe` with each stage that a job has passed, and the job's id. It must not block.
    pub fn observe(mut self, observe: impl Fn(Stage, &str) + Send + Sync + 'static) -> Self {
        self.observer = Observer(Some(Arc::new(observe)));
        self
    }

    /// Why the ledger does not answer, while it does not.
    pub fn ledger_trouble(&self) -> watch::Receiver<Option<String>> {
        self.ledger_trouble.subscribe()
    }

    /// Turns true once the definitions are there and jobs are taken from every lane.
    pub fn working(&self) -> watch::Receiver<bool> {
        self.working.subscribe()
    }

    /// Works until `stop`; then jobs in flight have the grace period, or until `force`.
    pub async fn run(
        self,
        stop: CancellationToken,
        force: CancellationToken,
    ) -> Result<Stopped, FleetError> {
        let working = self.working.clone();
        let secrets = self.store.as_ref().map(|store| store.secrets.clone());
        let Some(built) = stop.run_until_cancelled(self.build()).await else {
            return Ok(Stopped { left: Vec::new() });
        };
        let worker = Arc::new(built?);
        let over = CancellationToken::new();
        let _over = over.clone().drop_guard();
        let definitions = worker.definitions.clone();
        let watching = over.clone();
        tokio::spawn(async move { definitions.follow(watching).await });
        tokio::spawn(follow_link(worker.clone(), over.clone()));
        tokio::spawn(keep_books(worker.clone(), over.clone()));
        if let Some(secrets) = secrets {
            let rotating = stop.clone().run_until_cancelled_owned(keep_rotated(secrets));
            tokio::spawn(over.clone().run_until_cancelled_owned(rotating));
        }
        let control = worker.broker.consume(Source::Control, control::prefetch()).await?;
        tokio::spawn(control::listen(control, worker.clone()));
        let (jobs, lanes) = (TaskTracker::new(), TaskTracker::new());
        for (lane, permits) in &worker.config.lanes {
            let consumer = worker.broker.consume(Source::Lane(lane.clone()), *permits).await?;
            let lane = Lane { name: lane.as_str().into(), permits: *permits };
            lanes.spawn(lane.work(worker.clone(), consumer, jobs.clone(), stop.clone()));
        }
        working.send_replace(true);
        stop.cancelled().await;
        tracing::info!("stopping: no new jobs; jobs in flight have {:?}", worker.config.grace);
        lanes.close();
        lanes.wait().await;
        jobs.close();
        Ok(drain(&worker, &jobs, &force).await)
    }

    /// Works until Ctrl-C or SIGTERM; a second one skips the grace period.
    pub async fn run_until_signal(self) -> Result<Stopped, FleetError> {
        let (stop, force) = signal::stop_and_force();
        self.run(stop, force).await
    }

    async fn build(self) -> Result<Worker, FleetError> {
        let ids = self.handlers.ids().map(str::to_owned).collect();
        let definitions = Definitions::open(self.source(), ids, &self.registry).await?;
        let policy = self.config.ledger.policy;
        let books = self.store.filter(|_| policy != LedgerPolicy::Off).map(|store| {
            let config = self.config.ledger.clone();
            Books::new(store.ledger, config, self.ledger_metrics, self.ledger_trouble)
        });
        let dropped = self.metrics.notifications_dropped.clone();
        Ok(Worker {
            id: new_job_id(),
            notifier: Notifier::start(self.broker.clone(), dropped),
            config: self.config,
            broker: self.broker,
            handlers: self.handlers,
            definitions: Arc::new(definitions),
            books,
            observer: self.observer,
            metrics: self.metrics,
            running: Running::default(),
            interrupt: CancellationToken::new(),
        })
    }
}

impl Fleet {
    fn source(&self) -> DefinitionSource {
        let folder = self.config.definitions.clone();
        match &self.store {
            Some(store) => DefinitionSource::Store { catalog: store.catalog.clone(), folder },
            None => folder.map_or(DefinitionSource::BuiltIn, DefinitionSource::Folder),
        }
    }
}

async fn keep_books(worker: Arc<Worker>, over: CancellationToken) {
    if let Some(books) = &worker.books {
        over.run_until_cancelled(books.keep()).await;
    }
}

async fn follow_link(worker: Arc<Worker>, over: CancellationToken) {
    let mut link = worker.broker.link();
    loop {
        let up = link.borrow_and_update().is_up();
        worker.metrics.link_up.set(up.into());
        match over.run_until_cancelled(link.changed()).await {
            Some(Ok(())) => {}
            _ => return,
        }
    }
}

struct Lane {
    name: Arc<str>,
    permits: u16,
}

impl Lane {
    /// A permit for each delivery: as many as the prefetch, so that only deliveries of an earlier
    /// link can make a new one wait.
    async fn work(
        self,
        worker: Arc<Worker>,
        mut consumer: Consumer,
        jobs: TaskTracker,
        stop: CancellationToken,
    ) {
        let permits = Arc::new(Semaphore::new(self.permits.into()));
        let metrics = worker.metrics.lane(&self.name, self.permits);
        while let Some(Some(delivery)) = stop.run_until_cancelled(consumer.next()).await {
            let permit = stop.run_until_cancelled(permits.clone().acquire_owned()).await;
            let Some(Ok(permit)) = permit else {
                let _ = delivery.requeue().await;
                break;
            };
            let lane = self.name.clone();
            let received = pipeline::receive(delivery, lane, permit, metrics.enter());
            let worker = worker.clone();
            jobs.spawn(async move { pipeline::run(&worker, received).await });
        }
        consumer.stop();
        while let Some(delivery) = consumer.next().await {
            let _ = delivery.requeue().await;
        }
    }
}

/// The grace period, then five seconds with contexts cancelled, then the names of the rest.
async fn drain(worker: &Worker, jobs: &TaskTracker, force: &CancellationToken) -> Stopped {
    let patient = force.run_until_cancelled(jobs.wait());
    if within(worker.config.grace, patient).await.flatten().is_none() {
        tracing::warn!(jobs = jobs.len(), "putting jobs in flight back");
        worker.interrupt.cancel();
        within(AFTER_CANCEL, jobs.wait()).await;
    }
    Stopped { left: worker.running.ids() }
}

async fn within<T>(limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, future).await.ok()
}
