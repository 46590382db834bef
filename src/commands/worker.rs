//! `actionfleet worker`

use std::{collections::BTreeMap, io::ErrorKind, net::SocketAddr, time::Duration};

use actionfleet_broker::LinkState;
use actionfleet_store::Store;
use actionfleet_worker::{Fleet, FleetError};
use prometheus::Registry;
use tokio::sync::watch;

use crate::{
    admin::{AdminServer, Readiness, register_process_metrics},
    cli::{Global, Role},
    config::{LedgerChoice, Settings, open_files_limit},
    connect::{link, no_link, no_store},
    exit::{Exit, Failure, OrExit},
    output::Answer,
    signals::{self, Signals},
};

/// Between two attempts to reach the store at the start.
const STORE_PAUSE: Duration = Duration::from_millis(500);
const STORE_PAUSE_MAX: Duration = Duration::from_secs(10);

pub(super) async fn run(global: &Global) -> Result<Exit, Failure> {
    Box::pin(serve(global.start(Role::Service)?, |_, _| Ok(()))).await
}

/// Works until it is asked to stop. `started` is told once queue and store are open, with the
/// address of the admin server.
pub(super) async fn serve(
    settings: Settings,
    started: impl FnOnce(&Settings, Option<SocketAddr>) -> Answer,
) -> Result<Exit, Failure> {
    let config = settings.worker_config(open_files_limit()).or_exit(Exit::Config)?;
    let Signals { stop, force } = signals::listen().or_exit(Exit::Software)?;
    let registry = Registry::new();
    register_process_metrics(&registry).or_exit(Exit::Software)?;
    let readiness = Readiness::default();
    readiness.block("broker", "not linked yet");
    readiness.block("start", "no jobs are taken yet");
    let admin = admin(&settings, &registry, &readiness)?;

    let linking = link(&settings, "worker", Some(settings.topology_mode()), None);
    let Some(linked) = stop.run_until_cancelled(linking).await else {
        return Ok(Exit::Done);
    };
    let broker = linked.map_err(|error| no_link(&settings, &error))?;
    let opening = Box::pin(store(&settings, &readiness));
    let Some(opened) = stop.run_until_cancelled(opening).await else {
        return Ok(Exit::Done);
    };
    let store = opened?;
    tokio::spawn(follow_link(broker.link(), readiness.clone()));
    let (stopping, draining) = (stop.clone(), readiness.clone());
    tokio::spawn(async move {
        stopping.cancelled().await;
        draining.block("stop", "draining");
    });

    let lanes = config.lanes.clone();
    let fleet = Fleet::new(config, broker.clone(), store, registry)
        .map_err(|error| failure(&settings, error))?;
    if settings.store.ledger == LedgerChoice::Required {
        tokio::spawn(follow_ledger(fleet.ledger_trouble(), readiness.clone()));
    }
    tokio::spawn(follow_start(fleet.working(), lanes, readiness.clone()));
    started(&settings, admin.as_ref().map(AdminServer::address))?;
    let stopped = fleet.run(stop, force).await.map_err(|error| failure(&settings, error))?;
    broker.close().await;
    if stopped.left.is_empty() {
        tracing::info!("stopped, nothing left behind");
        return Ok(Exit::Done);
    }
    let left = stopped.left.join(", ");
    let problem = format!("stopped with jobs left behind, to be delivered again: {left}");
    Err(Failure::message(Exit::Failed, problem))
}

/// Opens the store, and waits for as long as it is away.
async fn store(settings: &Settings, readiness: &Readiness) -> Result<Option<Store>, Failure> {
    let mut pause = STORE_PAUSE;
    loop {
        let config = settings.store_config().or_exit(Exit::Config)?;
        let Some(config) = config else { return Ok(None) };
        match actionfleet_store::open(config).await {
            Ok(store) => {
                readiness.clear("store");
                return Ok(Some(store));
            }
            Err(error) if error.is_temporary() => {
                tracing::warn!(%error, "waiting for the store");
                readiness.block("store", error.to_string());
            }
            Err(error) => return Err(no_store(settings, &error)),
        }
        tokio::time::sleep(pause).await;
        pause = pause.saturating_mul(2).min(STORE_PAUSE_MAX);
    }
}

fn admin(
    settings: &Settings,
    registry: &Registry,
    readiness: &Readiness,
) -> Result<Option<AdminServer>, Failure> {
    let Some(listen) = settings.admin.listen.0 else {
        return Ok(None);
    };
    let start = |listen| AdminServer::start(listen, registry.clone(), readiness.clone());
    let server = match start(listen) {
        // the second worker of a machine
        Err(error)
            if error.kind() == ErrorKind::AddrInUse && settings.is_default("admin.listen") =>
        {
            start(SocketAddr::new(listen.ip(), 0))
        }
        started => started,
    };
    let server = server.map_err(|error| {
        let problem = format!(
            "cannot listen on {listen}: {error}; set `admin.listen` to another address or \"off\""
        );
        Failure::message(Exit::Unavailable, problem)
    })?;
    tracing::info!(address = %server.address(), "the admin server answers");
    Ok(Some(server))
}

async fn follow_link(mut link: watch::Receiver<LinkState>, readiness: Readiness) {
    loop {
        match &*link.borrow_and_update() {
            LinkState::Connected => readiness.clear("broker"),
            LinkState::Blocked(reason) => {
                readiness.block("broker", format!("takes no messages: {reason}"));
            }
            LinkState::Connecting => readiness.block("broker", "not linked"),
            LinkState::Closed => readiness.block("broker", "closed"),
        }
        if link.changed().await.is_err() {
            return;
        }
    }
}

/// Jobs wait until there are definitions for them.
async fn follow_start(
    mut working: watch::Receiver<bool>,
    lanes: BTreeMap<String, u16>,
    readiness: Readiness,
) {
    if working.wait_for(|working| *working).await.is_ok() {
        tracing::info!(?lanes, "working");
        readiness.clear("start");
    }
}

/// Without the ledger, jobs wait where it is required.
async fn follow_ledger(mut trouble: watch::Receiver<Option<String>>, readiness: Readiness) {
    loop {
        match &*trouble.borrow_and_update() {
            Some(problem) => readiness.block("ledger", format!("{problem}; jobs wait for it")),
            None => readiness.clear("ledger"),
        }
        if trouble.changed().await.is_err() {
            return;
        }
    }
}

fn failure(settings: &Settings, error: FleetError) -> Failure {
    match error {
        FleetError::Broker(error) => no_link(settings, &error),
        FleetError::Definitions(_) | FleetError::Backends(_) => Failure::new(Exit::Config, error),
        FleetError::Handler(_) | FleetError::Metrics(_) => Failure::new(Exit::Software, error),
    }
}
