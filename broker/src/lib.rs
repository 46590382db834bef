//! The link to the queue: one port ([`Broker`]) and its engines.

mod message;
mod missing;
mod port;

pub mod amqp;
pub mod embedded;

pub use message::{Address, HeaderValue, Headers, Message, Properties};
pub use missing::Missing;
pub use port::{
    Broker, BrokerError, Consumer, Delivery, Depth, LinkState, PublishError, Settle, Source,
    TopologyMode,
};
