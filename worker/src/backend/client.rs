//! One HTTP client for each class of trust.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, ClientBuilder, redirect, retry};

use super::{guard::Guard, resolve::Resolver};

const USER_AGENT: &str = concat!("actionfleet/", env!("CARGO_PKG_VERSION"));

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Providers keep connections long, and a TLS handshake costs more than an idle socket.
const PROVIDER_IDLE: Duration = Duration::from_secs(60);

/// Many servers close an idle connection after five seconds; a call that is sent into the closing
/// one is lost (<https://github.com/hyperium/hyper/issues/2136>).
const GUARDED_IDLE: Duration = Duration::from_secs(4);

pub(super) fn provider() -> Result<Client, reqwest::Error> {
    builder().pool_idle_timeout(PROVIDER_IDLE).dns_resolver(Resolver::new(None)).build()
}

pub(super) fn guarded(guard: &Arc<Guard>) -> Result<Client, reqwest::Error> {
    builder()
        .pool_idle_timeout(GUARDED_IDLE)
        .dns_resolver(Resolver::new(Some(Arc::clone(guard))))
        // a proxy would resolve the names
        .no_proxy()
        .build()
}

/// Every attempt is counted and every redirect an answer, so the client does neither by itself.
fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
}
