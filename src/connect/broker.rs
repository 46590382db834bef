//! The link of a command to the queue.

use std::{path::Path, sync::Arc, time::Duration};

use actionfleet_broker::{Broker, BrokerError, TopologyMode, amqp::Amqp, embedded::Embedded};

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
) -> Result<Arc<dyn Broker>, Failure> {
    let linked = link(settings, command, topology, Some(PATIENCE)).await;
    linked.map_err(|error| no_link(settings, &error))
}

/// As [`connect`], for commands that only look: a folder without a queue stays without one.
pub(crate) async fn connect_to_existing(
    settings: &Settings,
    command: &str,
) -> Result<Arc<dyn Broker>, Failure> {
    if let Some(folder) = settings.broker.url.folder().filter(|folder| !Embedded::is_in(folder)) {
        let problem = format!(
            "there is no queue in {}; a worker or `actionfleet topology apply` makes one, or set \
             another `broker.url`",
            folder.display()
        );
        return Err(Failure::message(Exit::Config, problem));
    }
    connect(settings, command, None).await
}

/// Waits for RabbitMQ as long as `patience` says, for ever without.
pub(crate) async fn link(
    settings: &Settings,
    command: &str,
    topology: Option<TopologyMode>,
    patience: Option<Duration>,
) -> Result<Arc<dyn Broker>, BrokerError> {
    if let Some(folder) = settings.broker.url.folder() {
        let config = settings.embedded_config(folder, topology);
        return Ok(Arc::new(Embedded::open(config).await?));
    }
    let config = settings.amqp_config(&format!("actionfleet {command}"), topology);
    Ok(Arc::new(Amqp::connect(config, patience).await?))
}

pub(crate) fn no_link(settings: &Settings, error: &BrokerError) -> Failure {
    if let Some(folder) = settings.broker.url.folder() {
        return no_queue(folder, error);
    }
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

/// The engine's errors name the file and the way out.
fn no_queue(folder: &Path, error: &BrokerError) -> Failure {
    let exit = match error {
        BrokerError::Link(_) => Exit::Unavailable,
        BrokerError::Denied(_) => Exit::Denied,
        _ => Exit::Config,
    };
    let problem = match error {
        BrokerError::Link(problem) => problem.clone(),
        error => error.to_string(),
    };
    Failure::message(exit, format!("the queue in {}: {problem}", folder.display()))
}
