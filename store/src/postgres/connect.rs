//! Where the server is and how a connection to it is made.

use std::time::Duration;

use tokio_postgres::{Client, Config, Connection, Socket, config::SslMode, tls::MakeTlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    error::{bounded, store_error},
    tls,
};
use crate::{config::StoreConfig, error::StoreError};

/// What does the work of a [`Client`].
pub(super) type Driver = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// A URL, read.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
    pub(super) timeout: Duration,
}

impl Target {
    pub(super) fn new(url: &str, settings: &StoreConfig) -> Result<Self, StoreError> {
        let (url, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut rest, mut mode, mut roots) = (Vec::new(), "prefer", None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = value,
                Some(("sslrootcert", value)) => roots = Some(value),
                _ => rest.push(pair),
            }
        }
        let parsed: Result<Config, _> = format!("{url}?{}", rest.join("&")).parse();
        // the error says what is wrong without quoting the URL, which may have a password
        let mut config = parsed
            .map_err(|error| StoreError::Config(format!("store.url does not read: {error}")))?;
        let ssl = match mode {
            "disable" => SslMode::Disable,
            "prefer" => SslMode::Prefer,
            "require" | "verify-full" => SslMode::Require,
            other => {
                return Err(StoreError::Config(format!(
                    "store.url has sslmode={other}; use disable, prefer, require (encrypted, \
                     whoever answers) or verify-full"
                )));
            }
        };
        config
            .ssl_mode(ssl)
            .connect_timeout(settings.timeout)
            .keepalives(true)
            .keepalives_idle(Duration::from_secs(30))
            .keepalives_interval(Duration::from_secs(10))
            .keepalives_retries(3)
            .tcp_user_timeout(Duration::from_secs(30));
        if config.get_application_name().is_none() {
            config.application_name("actionfleet");
        }
        let tls = tls::connector(mode == "verify-full" || roots.is_some(), roots)?;
        Ok(Self { config, tls, timeout: settings.timeout })
    }

    /// A connection outside of the pool, which does nothing until it is driven.
    pub(super) async fn connect(&self) -> Result<(Client, Driver), StoreError> {
        // the client's own limit is on the TCP handshake alone
        bounded(self.timeout, self.config.connect(self.tls.clone())).await
    }

    /// One that is driven by a task of its own, for as long as the client is kept.
    pub(super) async fn client(&self) -> Result<Client, StoreError> {
        let (client, connection) = self.connect().await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %store_error(&error), "a connection ended");
            }
        });
        Ok(client)
    }
}
