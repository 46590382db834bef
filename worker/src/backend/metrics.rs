//! What is counted of calls to backends.

use std::time::Duration;

use actionfleet_proto::Code;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, core::Collector,
};

/// In seconds; the last bound is the default limit of an attempt twice over.
const DURATION_BUCKETS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0];

/// The class of a call that went well; the others are error codes.
const OK: &str = "ok";

#[derive(Debug)]
pub(super) struct Metrics {
    calls: IntCounterVec,
    durations: HistogramVec,
    tokens: IntCounterVec,
    breakers: IntGaugeVec,
}

impl Metrics {
    /// For the reference of all metrics.
    pub(crate) fn all() -> Result<Vec<Box<dyn Collector>>, prometheus::Error> {
        Ok(Self::new()?.collectors())
    }

    fn new() -> Result<Self, prometheus::Error> {
        Ok(Self {
            calls: IntCounterVec::new(
                Opts::new(
                    "actionfleet_backend_calls_total",
                    "Calls to backends; the class is ok or an error code.",
                ),
                &["backend", "class"],
            )?,
            durations: HistogramVec::new(
                HistogramOpts::new(
                    "actionfleet_backend_call_duration_seconds",
                    "Time from a call's start to its whole response or its failure.",
                )
                .buckets(DURATION_BUCKETS.to_vec()),
                &["backend"],
            )?,
            tokens: IntCounterVec::new(
                Opts::new(
                    "actionfleet_tokens_total",
                    "Tokens that providers counted; the direction is input or output.",
                ),
                &["provider", "model", "direction"],
            )?,
            breakers: IntGaugeVec::new(
                Opts::new(
                    "actionfleet_breaker_state",
                    "The backend's circuit: 0 closed, 1 half open, 2 open.",
                ),
                &["backend"],
            )?,
        })
    }

    fn collectors(&self) -> Vec<Box<dyn Collector>> {
        vec![
            Box::new(self.calls.clone()),
            Box::new(self.durations.clone()),
            Box::new(self.tokens.clone()),
            Box::new(self.breakers.clone()),
        ]
    }

    pub(super) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self::new()?;
        metrics.collectors().into_iter().try_for_each(|collector| registry.register(collector))?;
        Ok(metrics)
    }

    pub(super) fn breaker(&self, backend: &str) -> IntGauge {
        self.breakers.with_label_values(&[backend])
    }

    /// The metrics of one backend, looked up once.
    pub(super) fn of(&self, backend: &str) -> BackendMetrics {
        BackendMetrics {
            backend: backend.to_owned(),
            ok: self.calls.with_label_values(&[backend, OK]),
            calls: self.calls.clone(),
            durations: self.durations.with_label_values(&[backend]),
        }
    }

    pub(super) fn count_tokens(&self, provider: &str, model: &str, input: u64, output: u64) {
        self.tokens.with_label_values(&[provider, model, "input"]).inc_by(input);
        self.tokens.with_label_values(&[provider, model, "output"]).inc_by(output);
    }

    /// Takes a backend out that is no longer called.
    pub(super) fn forget(&self, backend: &str) {
        // a class that was never counted is no error
        for class in Code::ALL.iter().map(|code| code.as_str()).chain([OK]) {
            let _ = self.calls.remove_label_values(&[backend, class]);
        }
        let _ = self.durations.remove_label_values(&[backend]);
        let _ = self.breakers.remove_label_values(&[backend]);
    }
}

#[derive(Debug)]
pub(super) struct BackendMetrics {
    backend: String,
    ok: IntCounter,
    calls: IntCounterVec,
    durations: Histogram,
}

impl BackendMetrics {
    /// Counts a call that ended well, or with the code.
    pub(super) fn count(&self, code: Option<Code>, duration: Duration) {
        match code {
            None => self.ok.inc(),
            Some(code) => {
                self.calls.with_label_values(&[self.backend.as_str(), code.as_str()]).inc();
            }
        }
        self.durations.observe(duration.as_secs_f64());
    }
}
