//! `actionfleet status`

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use actionfleet_broker::{Broker, BrokerError, Depth};
use actionfleet_producer::Workers;
use actionfleet_proto::{DELAY_LEVELS, LaneReport, WorkerReport};
use serde::Serialize;

use crate::{
    cli::{Global, Role},
    config::Settings,
    connect::{connect_to_existing, no_link},
    exit::{Exit, Failure},
    output::table,
};

/// What workers get to answer in any case: those that stop consume no more, and are not known.
const AT_LEAST: Duration = Duration::from_millis(200);
/// What those get of which it is known that they are there.
const AT_MOST: Duration = Duration::from_secs(1);

type Reports = BTreeMap<String, WorkerReport>;

#[derive(Debug, Serialize)]
struct Status {
    broker: String,
    lanes: Vec<LaneStatus>,
    /// Workers that answered; null where they could not be asked.
    workers: Option<usize>,
    /// Jobs that wait for their time.
    delayed: u64,
    dead: Option<u32>,
}

#[derive(Debug, Serialize)]
struct LaneStatus {
    lane: String,
    queue: String,
    /// Ready to be delivered; null where there is no such queue.
    ready: Option<u32>,
    /// In execution, and how many may be at once, of the workers that answered; null where they
    /// could not be asked.
    in_flight: Option<u64>,
    permits: Option<u64>,
    consumers: Option<u32>,
    /// Workers of the lane that answered: with less than `consumers`, more is in flight.
    answered: usize,
}

pub(super) async fn run(global: &Global) -> Result<Exit, Failure> {
    let settings = global.start(Role::Tool)?;
    let broker = connect_to_existing(&settings, "status").await?;
    let status = look(&settings, broker.clone()).await;
    broker.close().await;
    let status = status.map_err(|error| no_link(&settings, &error))?;
    global.output().answer(&status, || text(&status))?;
    let complete = status.dead.is_some() && status.lanes.iter().all(|lane| lane.ready.is_some());
    Ok(if complete { Exit::Done } else { Exit::Failed })
}

async fn look(settings: &Settings, broker: Arc<dyn Broker>) -> Result<Status, BrokerError> {
    let names = settings.names();
    let mut depths = Vec::new();
    for lane in settings.lane_names() {
        let depth = depth(&*broker, &names.lane(lane)).await?;
        depths.push((lane, depth));
    }
    let mut delayed = 0;
    for level in 0..DELAY_LEVELS {
        let level = depth(&*broker, &names.delay(level)).await?;
        delayed += level.map_or(0, |level| u64::from(level.ready));
    }
    let dead = depth(&*broker, &names.dead()).await?.map(|depth| depth.ready);
    let reports = if depths.iter().any(|(_, depth)| depth.is_some()) {
        let workers = Workers::new(broker, names.clone());
        // whoever may look at queues but not ask still sees them
        workers.reports(|reports| patience(&depths, reports)).await.ok()
    } else {
        Some(Reports::new())
    };
    let lanes = depths.iter().map(|(lane, depth)| {
        let queue = names.lane(lane);
        LaneStatus::new(lane, queue, *depth, reports.as_ref())
    });
    Ok(Status {
        broker: settings.broker.url.shown(),
        lanes: lanes.collect(),
        workers: reports.as_ref().map(Reports::len),
        delayed,
        dead,
    })
}

/// Every worker consumes each of its lanes once: so it is known whether all have answered.
fn patience(depths: &[(&str, Option<Depth>)], reports: &Reports) -> Duration {
    let is_answered = |(lane, depth): &(&str, Option<Depth>)| {
        let consumers = depth.map_or(0, |depth| depth.consumers);
        of_lane(lane, reports).count() >= usize::try_from(consumers).unwrap_or(usize::MAX)
    };
    if depths.iter().all(is_answered) { AT_LEAST } else { AT_MOST }
}

fn of_lane<'a>(lane: &str, reports: &'a Reports) -> impl Iterator<Item = &'a LaneReport> {
    reports.values().filter_map(move |report| report.lanes.get(lane))
}

impl LaneStatus {
    fn new(lane: &str, queue: String, depth: Option<Depth>, reports: Option<&Reports>) -> Self {
        let sum = |number: fn(&LaneReport) -> u64| {
            reports.map(|reports| of_lane(lane, reports).map(number).fold(0, u64::saturating_add))
        };
        Self {
            lane: lane.to_owned(),
            queue,
            ready: depth.map(|depth| depth.ready),
            in_flight: sum(|report| report.in_flight),
            permits: sum(|report| report.permits),
            consumers: depth.map(|depth| depth.consumers),
            answered: reports.map_or(0, |reports| of_lane(lane, reports).count()),
        }
    }

    /// Whether a worker is there that did not answer.
    fn is_partial(&self) -> bool {
        let consumers = self.consumers.and_then(|count| usize::try_from(count).ok());
        consumers.is_some_and(|consumers| self.answered < consumers)
    }

    fn row(&self) -> [String; 5] {
        let known = |number: Option<u64>| match number {
            Some(number) if self.is_partial() => format!("{number}+"),
            Some(number) => number.to_string(),
            None => "?".to_owned(),
        };
        [
            self.lane.clone(),
            number(self.ready),
            known(self.in_flight),
            known(self.permits),
            number(self.consumers),
        ]
    }
}

/// `None` where the queue does not exist.
async fn depth(broker: &dyn Broker, queue: &str) -> Result<Option<Depth>, BrokerError> {
    match broker.depth(queue).await {
        Ok(depth) => Ok(Some(depth)),
        Err(BrokerError::Missing(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn number(number: Option<u32>) -> String {
    number.map_or_else(|| "missing".to_owned(), |number| number.to_string())
}

fn text(status: &Status) -> String {
    let rows = status.lanes.iter().map(LaneStatus::row);
    let workers = status.workers.map_or_else(|| "?".to_owned(), |workers| workers.to_string());
    let mut text = format!(
        "{}\n\nworkers  {workers}\ndelayed  {}\ndead     {}\n",
        table(["LANE", "READY", "IN FLIGHT", "PERMITS", "CONSUMERS"], rows),
        status.delayed,
        number(status.dead),
    );
    if status.lanes.iter().any(LaneStatus::is_partial) {
        text.push_str("\n+ and more: not every worker has answered\n");
    }
    text
}
