//! `actionfleet status`

use actionfleet_broker::{Broker, BrokerError, Depth};
use actionfleet_proto::DELAY_LEVELS;
use serde::Serialize;

use crate::{
    cli::{Global, Role},
    config::Settings,
    connect::{connect, no_link},
    exit::{Exit, Failure},
    output::table,
};

#[derive(Debug, Serialize)]
struct Status {
    broker: String,
    lanes: Vec<LaneStatus>,
    /// Jobs that wait for their time.
    delayed: u64,
    dead: Option<u32>,
}

#[derive(Debug, Serialize)]
struct LaneStatus {
    lane: String,
    queue: String,
    /// Ready to be delivered; null where there is no such queue. Jobs in execution are not among
    /// them, and AMQP does not tell their number: a worker's metrics do.
    ready: Option<u32>,
    consumers: Option<u32>,
}

pub(super) async fn run(global: &Global) -> Result<Exit, Failure> {
    let settings = global.start(Role::Tool)?;
    let broker = connect(&settings, "status", None).await?;
    let status = look(&settings, &broker).await;
    broker.close().await;
    let status = status.map_err(|error| no_link(&settings, &error))?;
    global.output().answer(&status, || text(&status))?;
    let complete = status.dead.is_some() && status.lanes.iter().all(|lane| lane.ready.is_some());
    Ok(if complete { Exit::Done } else { Exit::Failed })
}

async fn look(settings: &Settings, broker: &dyn Broker) -> Result<Status, BrokerError> {
    let names = settings.names();
    let mut lanes = Vec::new();
    for lane in settings.lane_names() {
        let queue = names.lane(lane);
        let depth = depth(broker, &queue).await?;
        lanes.push(LaneStatus {
            lane: lane.to_owned(),
            queue,
            ready: depth.map(|depth| depth.ready),
            consumers: depth.map(|depth| depth.consumers),
        });
    }
    let mut delayed = 0;
    for level in 0..DELAY_LEVELS {
        let level = depth(broker, &names.delay(level)).await?;
        delayed += level.map_or(0, |level| u64::from(level.ready));
    }
    let dead = depth(broker, &names.dead()).await?.map(|depth| depth.ready);
    Ok(Status { broker: settings.broker.url.shown(), lanes, delayed, dead })
}

/// `None` where the queue does not exist.
async fn depth(broker: &dyn Broker, queue: &str) -> Result<Option<Depth>, BrokerError> {
    match broker.depth(queue).await {
        Ok(depth) => Ok(Some(depth)),
        Err(BrokerError::Missing(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn text(status: &Status) -> String {
    let number =
        |number: Option<u32>| number.map_or_else(|| "missing".to_owned(), |n| n.to_string());
    let rows = status
        .lanes
        .iter()
        .map(|lane| [lane.lane.clone(), number(lane.ready), number(lane.consumers)]);
    format!(
        "{}\n\ndelayed  {}\ndead     {}\n\nready: waiting for a worker; what is in execution is in \
         the workers' metrics\n",
        table(["LANE", "READY", "CONSUMERS"], rows),
        status.delayed,
        number(status.dead),
    )
}
