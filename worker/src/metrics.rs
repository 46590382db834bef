//! The pipeline's metrics. Labels come from closed or bounded sets alone.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock},
};

use actionfleet_broker::{Address, PublishError};
use actionfleet_proto::{Code, Timestamp};
use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    core::Collector,
};

use crate::pipeline::{Conclusion, Outcome};

/// Action names that get a label of their own; the rest are `other`.
const ACTIONS_MAX: usize = 1_000;
const OTHER: &str = "other";
const SECONDS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0];

#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    jobs: IntCounterVec,
    duration: HistogramVec,
    queue_wait: HistogramVec,
    attempts: IntCounterVec,
    retries: IntCounterVec,
    in_flight: IntGaugeVec,
    permits: IntGaugeVec,
    published: IntCounterVec,
    settled: IntCounterVec,
    pub(crate) notifications_dropped: IntCounter,
    pub(crate) link_up: IntGauge,
    actions: Arc<RwLock<HashSet<String>>>,
}

/// A lane's gauge of jobs in flight, looked up once.
#[derive(Debug, Clone)]
pub(crate) struct LaneMetrics(IntGauge);

impl LaneMetrics {
    pub(crate) fn enter(&self) -> InFlight {
        self.0.inc();
        InFlight(self.0.clone())
    }
}

/// Counts one job while it lives.
#[derive(Debug)]
pub(crate) struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self::new()?;
        metrics.collectors().into_iter().try_for_each(|collector| registry.register(collector))?;
        Ok(metrics)
    }

    fn new() -> prometheus::Result<Self> {
        Ok(Self {
            jobs: counter(
                "actionfleet_jobs_total",
                "Outcomes of deliveries",
                &["action", "outcome"],
            )?,
            duration: histogram(
                "actionfleet_job_duration_seconds",
                "Time in attempts, of finished jobs",
                "action",
            )?,
            queue_wait: histogram(
                "actionfleet_job_queue_wait_seconds",
                "From enqueued to the first attempt's start, of finished jobs",
                "lane",
            )?,
            attempts: counter(
                "actionfleet_attempts_total",
                "Attempts by how they ended: ok or an error code",
                &["code"],
            )?,
            retries: counter(
                "actionfleet_retries_scheduled_total",
                "Further attempts, by the code of the failed one",
                &["code"],
            )?,
            in_flight: gauge(
                "actionfleet_jobs_in_flight",
                "Deliveries between receipt and settlement",
            )?,
            permits: gauge("actionfleet_lane_permits", "Jobs that may be in flight at once")?,
            published: counter(
                "actionfleet_publishes_total",
                "Publishes by destination and result",
                &["to", "result"],
            )?,
            settled: counter(
                "actionfleet_settles_total",
                "Acks sent, and deliveries lost with their link",
                &["result"],
            )?,
            notifications_dropped: IntCounter::new(
                "actionfleet_notifications_dropped_total",
                "Notifications that were not published",
            )?,
            link_up: IntGauge::new("actionfleet_broker_link_up", "1 while linked to the broker")?,
            actions: Arc::default(),
        })
    }

    fn collectors(&self) -> Vec<Box<dyn Collector>> {
        vec![
            Box::new(self.jobs.clone()),
            Box::new(self.duration.clone()),
            Box::new(self.queue_wait.clone()),
            Box::new(self.attempts.clone()),
            Box::new(self.retries.clone()),
            Box::new(self.in_flight.clone()),
            Box::new(self.permits.clone()),
            Box::new(self.published.clone()),
            Box::new(self.settled.clone()),
            Box::new(self.notifications_dropped.clone()),
            Box::new(self.link_up.clone()),
        ]
    }

    pub(crate) fn lane(&self, lane: &str, permits: u16) -> LaneMetrics {
        self.permits.with_label_values(&[lane]).set(permits.into());
        LaneMetrics(self.in_flight.with_label_values(&[lane]))
    }

    pub(crate) fn in_flight(&self, lane: &str) -> u64 {
        let in_flight = self.in_flight.with_label_values(&[lane]).get();
        u64::try_from(in_flight).unwrap_or(0)
    }

    pub(crate) fn attempt(&self, code: Option<Code>, retried: bool) {
        let code = code.map_or("ok", Code::as_str);
        self.attempts.with_label_values(&[code]).inc();
        if retried {
            self.retries.with_label_values(&[code]).inc();
        }
    }

    pub(crate) fn published(&self, to: &Address, outcome: &Result<(), PublishError>) {
        let to = match to {
            Address::Lane(_) => "lane",
            Address::Delayed { .. } => "delay",
            Address::Dead => "dead",
            Address::Queue(_) | Address::Exchange { .. } => "reply",
            Address::Results { .. } => "results",
            Address::Notifications { .. } => "notifications",
            Address::Control => "control",
        };
        let result = match outcome {
            Ok(()) => "confirmed",
            Err(PublishError::Unroutable(_)) => "unroutable",
            Err(PublishError::Refused) => "refused",
            Err(PublishError::LinkLost) => "lost",
        };
        self.published.with_label_values(&[to, result]).inc();
    }

    pub(crate) fn settled(&self, settled: bool) {
        self.settled.with_label_values(&[if settled { "acked" } else { "lost" }]).inc();
    }

    pub(crate) fn concluded(&self, lane: &str, conclusion: &Conclusion, outcome: &str) {
        let subject = &conclusion.subject;
        let resolved = subject.handler.is_some();
        let action = subject.action.as_deref().filter(|name| resolved && self.knows(name));
        let action = action.unwrap_or(OTHER);
        self.jobs.with_label_values(&[action, outcome]).inc();
        let is_replay = matches!(conclusion.outcome, Outcome::Replayed(_));
        if is_replay || conclusion.outcome.route().reply.is_none() {
            return;
        }
        let (state, now) = (&subject.state, Timestamp::now());
        let wait = state.first_started_at.unwrap_or(now).since(state.enqueued_at);
        self.queue_wait.with_label_values(&[lane]).observe(wait.as_secs_f64());
        let running = std::time::Duration::from_millis(state.running_ms());
        self.duration.with_label_values(&[action]).observe(running.as_secs_f64());
    }

    /// Handlers may support any name: only the first thousand become labels.
    fn knows(&self, action: &str) -> bool {
        if self.actions.read().unwrap_or_else(PoisonError::into_inner).contains(action) {
            return true;
        }
        let mut actions = self.actions.write().unwrap_or_else(PoisonError::into_inner);
        actions.len() < ACTIONS_MAX && actions.insert(action.to_owned())
    }
}

fn counter(name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
    IntCounterVec::new(Opts::new(name, help), labels)
}

/// By lane.
fn gauge(name: &str, help: &str) -> prometheus::Result<IntGaugeVec> {
    IntGaugeVec::new(Opts::new(name, help), &["lane"])
}

fn histogram(name: &str, help: &str, label: &str) -> prometheus::Result<HistogramVec> {
    HistogramVec::new(HistogramOpts::new(name, help).buckets(SECONDS.to_vec()), &[label])
}

/// Every metric of a worker, without values: for the reference.
pub fn metric_collectors() -> prometheus::Result<Vec<Box<dyn Collector>>> {
    let mut all = Metrics::new()?.collectors();
    all.extend(crate::backend::metric_collectors()?);
    all.extend(crate::definitions::metric_collectors()?);
    all.extend(crate::ledger::LedgerMetrics::all()?);
    Ok(all)
}
