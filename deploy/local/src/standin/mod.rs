//! A stand-in for an AI service: it speaks OpenAI's protocol, needs no network, answers the same
//! to the same, and misbehaves on demand. No model is behind it, and its answers say so.

mod connection;
mod fault;
mod front;
mod misbehaviour;
mod openai;
mod plain;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};
use tokio::runtime::{Builder, Runtime};

use self::connection::{Accepting, ResetSwitch};
use self::fault::Sequences;
pub use self::misbehaviour::Misbehaviour;
use self::misbehaviour::Mood;
use self::openai::ApiError;
pub use self::tally::Stats;
use self::tally::Tally;

/// The largest request body: a picture of 16 MiB in base64 and what is round it.
const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// A running stand-in. Dropped, it closes its port and every connection.
#[derive(Debug)]
pub struct Standin {
    address: SocketAddr,
    service: Arc<Service>,
    /// Its own, so that it can be stopped with all it does, and no test's clock governs it.
    runtime: Option<Runtime>,
}

/// What all requests share.
#[derive(Debug)]
struct Service {
    misbehaviour: Misbehaviour,
    /// How many requests could have been misbehaved at.
    turns: AtomicU64,
    tally: Tally,
    sequences: Sequences,
}

impl Standin {
    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// As [`listen`](Self::listen).
    pub async fn start(misbehaviour: Misbehaviour) -> anyhow::Result<Self> {
        Self::listen((Ipv4Addr::LOCALHOST, 0).into(), misbehaviour).await
    }

    /// Listens on an address; with port 0 on a free one.
    ///
    /// # Errors
    /// The misbehaviour's rates make no sense, or the address cannot be listened on.
    pub async fn listen(address: SocketAddr, misbehaviour: Misbehaviour) -> anyhow::Result<Self> {
        misbehaviour.check()?;
        let service = Arc::new(Service {
            misbehaviour,
            turns: AtomicU64::new(0),
            tally: Tally::default(),
            sequences: Sequences::default(),
        });
        let app = app(&service).into_make_service_with_connect_info::<ResetSwitch>();
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("standin")
            .enable_all()
            .build()
            .context("cannot start threads")?;
        let listening = runtime.spawn(async move { Accepting::bind(address) });
        let listener = listening.await?.with_context(|| format!("cannot listen on {address}"))?;
        let address = axum::serve::Listener::local_addr(&listener)?;
        runtime.spawn(axum::serve(listener, app).into_future());
        Ok(Self { address, service, runtime: Some(runtime) })
    }

    /// Where it is, without a path: `http://127.0.0.1:4000`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What it was asked and what it answered until now.
    pub fn stats(&self) -> Stats {
        self.service.tally.stats()
    }

    /// How often each job called, by the header `x-actionfleet-job-id`.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.service.tally.calls()
    }
}

impl Drop for Standin {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Service {
    /// Answers a request late, or not with what was asked for, as often as configured.
    async fn take_turn(&self) -> Result<(), ApiError> {
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        let mood = self.misbehaviour.mood(turn);
        let delay = match mood {
            Mood::RateLimited => return Err(ApiError::rate_limited("1")),
            Mood::Unavailable => return Err(ApiError::unavailable()),
            Mood::QuotaExhausted => return Err(ApiError::insufficient_quota()),
            Mood::Slow => self.misbehaviour.latency.saturating_add(self.misbehaviour.slow_by),
            Mood::Fine => self.misbehaviour.latency,
        };
        if delay > Duration::ZERO {
            tokio::time::sleep(delay).await;
        }
        Ok(())
    }
}

fn app(service: &Arc<Service>) -> Router {
    Router::new()
        .merge(endpoints())
        .nest("/faults/{fault}", endpoints().route("/", any(plain::fine)))
        .route("/inspect", any(plain::inspect))
        .route("/inspect/", any(plain::inspect))
        .route("/inspect/{*rest}", any(plain::inspect))
        .route("/count", get(tally::count))
        .route("/calls", get(tally::calls))
        .route("/standin/stats", get(tally::stats))
        .fallback(openai::unknown_url)
        .layer(from_fn_with_state(Arc::clone(service), front::receive))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(Arc::clone(service))
}

/// What can be asked for as it is and with a fault.
fn endpoints() -> Router<Arc<Service>> {
    Router::new()
        .route("/v1/chat/completions", post(openai::chat))
        .route("/v1/models", get(openai::models))
        .route("/echo", post(plain::echo))
}
