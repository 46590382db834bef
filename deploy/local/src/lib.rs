//! Services on this machine for the demo, the benchmark and the tests.
//!
//! - [`Rabbit`]: a private RabbitMQ broker, gone with the process that started it.

mod rabbit;

pub use rabbit::Rabbit;
