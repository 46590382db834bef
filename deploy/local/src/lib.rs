//! Services on this machine for the demo, the benchmark and the tests.
//!
//! - [`Rabbit`]: a private RabbitMQ broker, gone with the process that started it.
//! - [`Postgres`]: a private PostgreSQL server, gone in the same way.
//! - [`Link`]: a TCP connection's way that can be cut, held up and refused.
//! - [`Standin`]: an offline service that speaks OpenAI's protocol, and fails on demand.

mod link;
mod postgres;
mod rabbit;
mod standin;
mod watched;

pub use link::Link;
pub use postgres::Postgres;
pub use rabbit::{Certificate, Rabbit};
pub use standin::{Misbehaviour, Standin, Stats};
