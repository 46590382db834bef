//! The engine over RabbitMQ.

mod config;

pub use config::AmqpConfig;
