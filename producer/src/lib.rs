//! A request comes in, a job goes out, a result comes back: the client library.
//!
//! [`Producer`] puts jobs on the queue and collects their results; [`DeadLetters`] looks after the
//! jobs that the fleet gave up; [`Workers`] asks what is in execution.

mod collect;
mod config;
mod dead;
#[cfg(test)]
mod fake;
mod producer;
mod submit;
mod workers;

pub use collect::{ReplyCounts, WaitError};
pub use config::ProducerConfig;
pub use dead::{DeadError, DeadLetter, DeadLetters, Filter, Replay, Scan, Settled, Tally};
pub use producer::{GetError, Producer};
pub use submit::SubmitError;
pub use workers::Workers;
