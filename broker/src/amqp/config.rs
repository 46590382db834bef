//! How to reach RabbitMQ and what to find there.

use std::{path::PathBuf, time::Duration};

use actionfleet_proto::Names;

use crate::port::TopologyMode;

#[derive(Debug, Clone)]
pub struct AmqpConfig {
    /// `amqp://user:password@host:5672/vhost`, or `amqps://`. Holds a password: never log it.
    pub url: String,
    /// A certificate authority in PEM besides the system's, for `amqps://`.
    pub tls_ca: Option<PathBuf>,
    /// Shown in RabbitMQ's management.
    pub connection_name: String,
    pub names: Names,
    pub lanes: Vec<String>,
    /// What every new link does about the topology; `None` leaves it alone.
    pub topology: Option<TopologyMode>,
    pub heartbeat: Duration,
    /// Unconfirmed publishes of one channel.
    pub publish_window: usize,
}

impl AmqpConfig {
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            tls_ca: None,
            connection_name: "actionfleet".to_owned(),
            names: Names::default(),
            lanes: vec!["default".to_owned(), "bulk".to_owned()],
            topology: Some(TopologyMode::Declare),
            heartbeat: Duration::from_secs(20),
            publish_window: 512,
        }
    }
}
