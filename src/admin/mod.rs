//! The admin server: metrics for Prometheus, liveness and readiness for whoever runs the worker.
//!
//! It has a thread and a runtime of its own, so that it answers while the worker's are full.

mod metrics;
mod readiness;
mod reference;

use std::{
    io,
    net::{SocketAddr, TcpListener},
    thread,
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use prometheus::{Registry, TextEncoder};
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) use metrics::{process_metrics, register_process_metrics};
pub(crate) use readiness::Readiness;
pub(crate) use reference::metrics_reference;

/// Serves until it is dropped.
#[derive(Debug)]
pub(crate) struct AdminServer {
    address: SocketAddr,
    _stop: DropGuard,
}

#[derive(Debug, Clone)]
struct Shared {
    registry: Registry,
    readiness: Readiness,
}

impl AdminServer {
    pub(crate) fn start(
        listen: SocketAddr,
        registry: Registry,
        readiness: Readiness,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let stop = CancellationToken::new();
        let serving = serve(listener, Shared { registry, readiness }, stop.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("admin".to_owned()).spawn(move || {
            if let Err(error) = runtime.block_on(serving) {
                tracing::error!(%error, "the admin server has stopped");
            }
        })?;
        Ok(Self { address, _stop: stop.drop_guard() })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn serve(listener: TcpListener, shared: Shared, stop: CancellationToken) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .with_state(shared);
    tokio::select! {
        served = axum::serve(listener, router) => served,
        () = stop.cancelled() => Ok(()),
    }
}

async fn metrics(State(shared): State<Shared>) -> impl IntoResponse {
    match TextEncoder::new().encode_to_string(&shared.registry.gather()) {
        Ok(text) => {
            Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text))
        }
        Err(error) => Err((StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n"))),
    }
}

async fn readyz(State(shared): State<Shared>) -> impl IntoResponse {
    let reasons = shared.readiness.reasons();
    if reasons.is_empty() {
        return (StatusCode::OK, "ok\n".to_owned());
    }
    (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n")
}

#[cfg(test)]
mod tests;
