use std::{num::NonZeroU16, path::PathBuf};

use actionfleet_proto::Span;

use crate::config::{
    section::section,
    setting::{Setting, Word},
    url::BrokerUrl,
};

section! {
    /// The link to the queue: RabbitMQ, or a folder of this machine.
    Broker "broker" {
        /// Where the queue is: RabbitMQ at `amqp://user:password@host:5672/vhost`, or `amqps://` for TLS, where `%2f` is the virtual host `/`; or `embedded:FOLDER`, a folder on a local disk of this machine.
        url: BrokerUrl = "amqp://guest:guest@127.0.0.1:5672/%2f",
        /// First word of the names of all exchanges and queues; fleets with different prefixes share a virtual host without meeting.
        prefix: Word = "actionfleet",
        /// `declare` creates what is missing of the topology on every link; `verify` only compares.
        topology: TopologyChoice = "declare",
        /// A file with certificate authorities in PEM, besides the system's, for `amqps://`.
        tls_ca: Option<PathBuf> = "",
        /// After twice this time without a sign of life the link is taken as broken; 1s to 1h.
        heartbeat: Span = "20s",
        /// What the broker's `consumer_timeout` is set to; a job must end before it, or it is delivered again.
        consumer_timeout: Span = "30m",
        /// Unconfirmed messages of one publishing channel.
        publish_window: NonZeroU16 = "512",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TopologyChoice {
    Declare,
    Verify,
}

impl Setting for TopologyChoice {
    const KIND: &'static str = "`declare` or `verify`";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "declare" => Ok(Self::Declare),
            "verify" => Ok(Self::Verify),
            _ => Err(format!("{text:?} is neither \"declare\" nor \"verify\"")),
        }
    }
}
