//! Calls to backends: guarded, bounded, counted, broken off when they fail too often.

use prometheus::Registry;

use crate::config::{BreakerConfig, HttpConfig, Limits};

/// The way to every backend of a worker.
#[derive(Debug)]
pub struct Backends {}

#[derive(Debug, thiserror::Error)]
pub enum BackendsError {
    #[error("cannot build the HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    #[error("cannot register the metrics of the backends: {0}")]
    Metrics(#[from] prometheus::Error),
}

impl Backends {
    pub fn new(
        _http: &HttpConfig,
        _breaker: &BreakerConfig,
        _limits: &Limits,
        _metrics: &Registry,
    ) -> Result<Self, BackendsError> {
        Ok(Self {})
    }
}
