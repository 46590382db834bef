//! Services on this machine for the demo, the benchmark and the tests.
//!
//! - [`Rabbit`]: a private RabbitMQ broker, gone with the process that started it.
//! - [`Link`]: a TCP connection's way that can be cut, held up and refused.

mod link;
mod rabbit;

pub use link::Link;
pub use rabbit::Rabbit;
