use std::future::Future;

use actionfleet_store::{Claimed, Finished, Released, StoreError};
use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, core::Collector,
};
use tokio::time::Instant;

use super::Asked;

const SECONDS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

#[derive(Debug, Clone)]
pub(crate) struct LedgerMetrics {
    answers: IntCounterVec,
    duration: HistogramVec,
    up: IntGauge,
}

impl LedgerMetrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self::new()?;
        metrics.collectors().into_iter().try_for_each(|collector| registry.register(collector))?;
        Ok(metrics)
    }

    /// For the reference of all metrics.
    pub(crate) fn all() -> prometheus::Result<Vec<Box<dyn Collector>>> {
        Ok(Self::new()?.collectors())
    }

    fn new() -> prometheus::Result<Self> {
        Ok(Self {
            answers: IntCounterVec::new(
                Opts::new(
                    "actionfleet_ledger_answers_total",
                    "What the ledger said of jobs; `without` is a job that went on without it",
                ),
                &["call", "answer"],
            )?,
            duration: HistogramVec::new(
                HistogramOpts::new(
                    "actionfleet_ledger_call_duration_seconds",
                    "Time until the ledger's answer is committed",
                )
                .buckets(SECONDS.to_vec()),
                &["call"],
            )?,
            up: IntGauge::new(
                "actionfleet_ledger_up",
                "1 while the ledger answers; 0 where it does not, or where there is none",
            )?,
        })
    }

    fn collectors(&self) -> Vec<Box<dyn Collector>> {
        vec![
            Box::new(self.answers.clone()),
            Box::new(self.duration.clone()),
            Box::new(self.up.clone()),
        ]
    }

    pub(super) fn up(&self, up: bool) {
        self.up.set(up.into());
    }

    pub(super) async fn timed<T>(
        &self,
        call: &str,
        asking: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let start = Instant::now();
        let answer = asking.await;
        self.duration.with_label_values(&[call]).observe(start.elapsed().as_secs_f64());
        answer
    }

    pub(super) fn claimed(&self, asked: &Asked<Claimed>) {
        self.count("claim", asked, |answer| match answer {
            Claimed::Execute => "execute",
            Claimed::Recorded(_) => "recorded",
            Claimed::Busy => "busy",
            Claimed::Superseded => "superseded",
        });
    }

    pub(super) fn finished(&self, asked: &Asked<Finished>) {
        self.count("finish", asked, |answer| match answer {
            Finished::Recorded => "recorded",
            Finished::TakenOver => "taken_over",
            Finished::Already(_) => "already",
        });
    }

    pub(super) fn parked(&self, asked: &Asked<Released>) {
        self.count("park", asked, |answer| match answer {
            Released::Parked => "parked",
            Released::TakenOver => "taken_over",
        });
    }

    fn count<T>(&self, call: &str, asked: &Asked<T>, name: fn(&T) -> &'static str) {
        let answer = match asked {
            Asked::Answered(answer) => name(answer),
            Asked::Without | Asked::Unanswered => "without",
            Asked::CutOff => "cut_off",
        };
        self.answers.with_label_values(&[call, answer]).inc();
    }
}
