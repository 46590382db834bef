//! The backend of both contenders: echoes a JSON body after a while.

use std::time::Duration;

use axum::{Json, Router, routing::post};
use clap::Args;
use serde_json::{Value, json};

#[derive(Args)]
pub(crate) struct Options {
    /// Milliseconds before the answer.
    #[arg(long, default_value_t = 0)]
    latency: u64,
}

/// Prints its URL, then serves until it is killed.
pub(crate) async fn serve(options: Options) -> anyhow::Result<()> {
    let latency = Duration::from_millis(options.latency);
    let echo = move |Json(body): Json<Value>| async move {
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
        Json(json!({"echo": body}))
    };
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    // ten thousand callers may knock at once
    let listener = socket.listen(16_384)?;
    crate::report::say(&format!("http://{}/echo", listener.local_addr()?));
    Ok(axum::serve(listener, Router::new().route("/echo", post(echo))).await?)
}
