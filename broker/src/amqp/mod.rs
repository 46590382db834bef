//! The engine over RabbitMQ, 3.10 to 4.x, by AMQP 0-9-1.
//!
//! The client library is used as a thin protocol client: its own recovery is off, and the life of
//! the link is ours. [`engine`] runs one [`epoch`] after the other; within an epoch, [`publisher`]
//! owns the publishing channel and [`subscription`] each consuming one.

mod acks;
mod config;
mod connection;
mod convert;
mod engine;
mod epoch;
mod error;
mod guest;
mod life;
mod publisher;
mod pulling;
mod subscription;
mod topology;
mod trust;

pub use config::AmqpConfig;
pub use engine::Amqp;
