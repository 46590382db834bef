//! The engine over RabbitMQ.
