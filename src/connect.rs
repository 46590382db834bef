//! The link of a command to the broker.

use std::time::Duration;

use actionfleet_broker::{
    BrokerError, TopologyMode,
    amqp::{Amqp, AmqpConfig},
};

use crate::{
    config::Settings,
    exit::{Exit, Failure},
};

/// How long a command waits for the broker.
const PATIENCE: Duration = Duration::from_secs(10);

/// Links to the broker, or says what to do.
pub(crate) async fn connect(
    settings: &Settings,
    command: &str,
    topology: Option<TopologyMode>,
) -> Result<Amqp, Failure> {
    let config = amqp_config(settings, command, topology);
    Amqp::connect(config, Some(PATIENCE)).await.map_err(|error| no_link(settings, &error))
}

pub(crate) fn amqp_config(
    settings: &Settings,
    command: &str,
    topology: Option<TopologyMode>,
) -> AmqpConfig {
    settings.amqp_config(&format!("actionfleet {command}"), topology)
}

pub(crate) fn no_link(settings: &Settings, error: &BrokerError) -> Failure {
    let url = settings.broker.url.shown();
    match error {
        BrokerError::Link(_) => Failure::message(
            Exit::Unavailable,
            format!("cannot reach the broker at {url}: {error}; is it running? set `broker.url`"),
        ),
        BrokerError::Denied(_) => Failure::message(
            Exit::Denied,
            format!(
                "cannot log in to the broker at {url} as `{}`: {}; check user, password and \
                 virtual host in `broker.url`",
                settings.broker.url.user(),
                // in RabbitMQ's words, which end with a full stop
                error.to_string().trim_end_matches('.'),
            ),
        ),
        BrokerError::Missing(_) => Failure::message(
            Exit::Config,
            format!("{error}; `actionfleet topology apply` creates what is missing"),
        ),
        BrokerError::Incomplete(_) => Failure::message(
            Exit::Config,
            format!("{error}\n`actionfleet topology apply` creates what is missing"),
        ),
        BrokerError::Differs(_) => Failure::message(
            Exit::Config,
            format!("{error}; delete what differs, or choose another `broker.prefix`"),
        ),
        BrokerError::Config(_) => Failure::message(Exit::Config, error),
    }
}
