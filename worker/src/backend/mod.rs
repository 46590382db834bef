//! Calls to backends: guarded, bounded, counted, and turned away while a backend keeps failing.

mod breaker;
mod call;
mod classify;
mod client;
mod guard;
mod metrics;
mod redact;
mod resolve;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use actionfleet_proto::Code;
use prometheus::Registry;
use reqwest::{Client, Request, Response, StatusCode};
use secrecy::SecretString;

pub(crate) use self::redact::redacted;
use self::{
    breaker::{Breaker, Permit},
    guard::Guard,
    metrics::{BackendMetrics, Metrics},
};
pub use self::{
    call::Answer,
    classify::{refusal, service_response},
    guard::BlockedAddress,
};

use crate::{
    config::{BreakerConfig, HttpConfig, Limits},
    handler::{Context, HandlerError},
};

/// For the reference of all metrics.
pub(crate) fn metric_collectors() -> prometheus::Result<Vec<Box<dyn prometheus::core::Collector>>> {
    metrics::Metrics::all()
}

/// The way to every backend of a worker.
#[derive(Debug)]
pub struct Backends {
    provider: Client,
    guarded: Client,
    guard: Arc<Guard>,
    breaker: BreakerConfig,
    response_max: usize,
    metrics: Metrics,
    by_name: RwLock<HashMap<Arc<str>, Arc<Backend>>>,
}

/// Who chose the address that is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The operator alone: any address, also inside; the environment's proxy is used.
    Provider,
    /// Users can influence it: only what the guard allows, and no proxy.
    Guarded,
}

/// One service, by its name in the definitions.
#[derive(Debug)]
struct Backend {
    name: Arc<str>,
    breaker: Breaker,
    metrics: BackendMetrics,
}

#[derive(Debug, thiserror::Error)]
pub enum BackendsError {
    /// Most often: a machine without certificate authorities.
    #[error(
        "cannot build the HTTP client: {0:?}; does this machine have certificate authorities \
         (Debian: the package ca-certificates)?"
    )]
    Client(#[from] reqwest::Error),
    #[error("cannot register the metrics of the backends: {0}")]
    Metrics(#[from] prometheus::Error),
}

impl Backends {
    /// As many as a folder can hold definitions.
    const MAX: usize = 10_000;

    pub fn new(
        http: &HttpConfig,
        breaker: &BreakerConfig,
        limits: &Limits,
        metrics: &Registry,
    ) -> Result<Self, BackendsError> {
        let guard = Arc::new(Guard::new(&http.allow_networks));
        Ok(Self {
            provider: client::provider()?,
            guarded: client::guarded(&guard)?,
            guard,
            breaker: breaker.clone(),
            response_max: limits.response_bytes,
            metrics: Metrics::register(metrics)?,
            by_name: RwLock::default(),
        })
    }

    /// Calls the backend of this name for the job, until the attempt's deadline.
    ///
    /// An answer whose status `accepts` takes is a success; any other answer, and every failure
    /// below HTTP, is an error with the code that the pages of the codes promise. `secrets` are
    /// those in the request: an error shows none of them.
    ///
    /// The future does not hold the request: thousands of calls are in flight at once.
    pub fn call<'a>(
        &self,
        trust: Trust,
        backend: &str,
        request: Request,
        context: &'a Context,
        accepts: impl Fn(StatusCode) -> bool + Send + 'a,
        secrets: &'a [SecretString],
    ) -> impl Future<Output = Result<Answer, HandlerError>> + Send + 'a {
        let prepared = self.prepare(trust, backend, request, context);
        let response_max = self.response_max;
        async move {
            let (backend, request) = prepared?;
            call::call(&backend, request, context, response_max, accepts, secrets).await
        }
    }

    /// The backend, and the call to it, which goes out when it is polled.
    fn prepare(
        &self,
        trust: Trust,
        backend: &str,
        mut request: Request,
        context: &Context,
    ) -> Result<(Arc<Backend>, impl Future<Output = reqwest::Result<Response>> + use<>), HandlerError>
    {
        let client = match trust {
            Trust::Provider => &self.provider,
            Trust::Guarded => {
                self.guard.check_literal(request.url()).map_err(|blocked| {
                    HandlerError::of(Code::BlockedAddress, blocked.to_string()).service(backend)
                })?;
                &self.guarded
            }
        };
        call::identify(request.headers_mut(), context);
        Ok((self.backend(backend), client.execute(request)))
    }

    /// Counts what a provider says that a call used; `model` is one of its definition, as labels
    /// are a closed set.
    pub fn count_tokens(&self, provider: &str, model: &str, input: u64, output: u64) {
        self.metrics.count_tokens(provider, model, input, output);
    }

    fn backend(&self, name: &str) -> Arc<Backend> {
        let backends = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(backend) = backends.get(name) {
            return Arc::clone(backend);
        }
        drop(backends);
        let mut backends = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        if backends.len() >= Self::MAX {
            // definitions came and went: forget those that no call is using
            backends.retain(|name, backend| {
                let used = Arc::strong_count(backend) > 1;
                if !used {
                    self.metrics.forget(name);
                }
                used
            });
        }
        let key: Arc<str> = name.into();
        let backend = backends.entry(Arc::clone(&key)).or_insert_with(|| {
            let breaker = Breaker::new(self.breaker.clone(), self.metrics.breaker(name));
            Arc::new(Backend { name: key, breaker, metrics: self.metrics.of(name) })
        });
        Arc::clone(backend)
    }
}

impl Backend {
    /// Turned away, jobs come back spread over one more period, not all at its end.
    fn admit(&self) -> Result<Permit<'_>, HandlerError> {
        self.breaker.admit().map_err(|wait| {
            let spread = self.breaker.open_for().mul_f64(fastrand::f64());
            let wait = wait.saturating_add(spread).max(Duration::from_millis(100));
            let message = "the backend has failed too often and is left alone for a while";
            HandlerError::throttled(Code::CircuitOpen, wait, message).service(&*self.name)
        })
    }
}
