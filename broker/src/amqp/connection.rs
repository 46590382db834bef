//! One TCP or TLS connection to RabbitMQ.

use std::time::Duration;

use lapin::{
    Connection, ConnectionProperties,
    tcp::OwnedTLSConfig,
    uri::{AMQPScheme, AMQPUri},
};

use super::{
    AmqpConfig,
    error::broker_error,
    trust::{authorities, untrusted},
};
use crate::port::BrokerError;

/// Opening takes at most this long, from the first packet to the last answer.
const OPEN_LIMIT: Duration = Duration::from_secs(15);

/// The largest frame, in bytes: what RabbitMQ offers unless it is configured otherwise. Asked for
/// beforehand, the client need not grow its buffers, which would touch 16 MiB for two connections.
const FRAME_MAX: u32 = 128 * 1024;

/// A parsed `broker.url` with our heartbeat, and the certificates to trust.
#[derive(Clone)]
pub(super) struct Endpoint {
    uri: AMQPUri,
    tls: OwnedTLSConfig,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let authority = &self.uri.authority;
        f.debug_struct("Endpoint")
            .field("host", &authority.host)
            .field("port", &authority.port)
            .field("vhost", &self.uri.vhost)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    pub(super) fn new(config: &AmqpConfig) -> Result<Self, BrokerError> {
        let mut uri: AMQPUri = config
            .url
            .parse()
            .map_err(|problem| BrokerError::Config(format!("broker.url: {problem}")))?;
        let heartbeat = u16::try_from(config.heartbeat.as_secs()).unwrap_or(u16::MAX);
        uri.query.heartbeat = uri.query.heartbeat.or(Some(heartbeat));
        uri.query.frame_max = uri.query.frame_max.or(Some(FRAME_MAX));
        let cert_chain = match &config.tls_ca {
            Some(_) if uri.scheme != AMQPScheme::AMQPS => {
                let problem = "broker.tls_ca: has no effect with amqp://; use amqps://";
                return Err(BrokerError::Config(problem.into()));
            }
            Some(path) => Some(authorities(path)?),
            None => None,
        };
        Ok(Self { uri, tls: OwnedTLSConfig { identity: None, cert_chain } })
    }

    pub(super) async fn open(&self, name: &str, role: &str) -> Result<Connection, BrokerError> {
        let options =
            ConnectionProperties::default().with_connection_name(format!("{name} ({role})").into());
        let runtime = lapin::runtime::default_runtime().map_err(|error| broker_error(&error))?;
        let opening = Connection::connect_uri_with_config(
            self.uri.clone(),
            options,
            self.tls.clone(),
            runtime,
        );
        match tokio::time::timeout(OPEN_LIMIT, opening).await {
            Ok(opened) => opened.map_err(|error| {
                let own = self.tls.cert_chain.is_some();
                untrusted(&error, &self.uri.authority, own).unwrap_or_else(|| broker_error(&error))
            }),
            Err(_) => Err(BrokerError::Link(format!("no answer within {OPEN_LIMIT:?}"))),
        }
    }
}
