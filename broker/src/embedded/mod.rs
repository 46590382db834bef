//! The engine in one SQLite file, with nothing installed: durable, for one process that has
//! everything in it, and for further processes on the same folder.
//!
//! One thread, [`writer`], owns the connection. It takes what callers asked for since its last
//! commit, does all of it in one [`transaction`], and answers after the commit, so that many
//! callers share one wait for the disk. [`store`] and its siblings are the transaction's parts,
//! without threads or clocks: [`publish`] and [`claim`] are the way of a message in and out, [`delayed`] its wait,
//! [`queues`] and [`topology`] what it can be sent to, [`session`] who holds it.
//!
//! A message in a queue is one row whose id is the queue's number and its place; a queue knows how
//! far it was handed out (`head`). What is handed out is noted in `held` under the session of its
//! process, and what comes back, in `returned`. A session is alive as long as its process holds the
//! lock on the session's file: the system frees it when the process dies, however it dies.

mod claim;
mod config;
mod consumers;
mod delayed;
mod engine;
mod error;
mod exchanges;
mod inbox;
mod publish;
mod queues;
mod requests;
mod schema;
mod session;
mod store;
mod stored;
mod topology;
mod transaction;
mod upkeep;
mod writer;

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod store_tests;

pub use config::EmbeddedConfig;
pub use engine::Embedded;
