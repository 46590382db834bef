//! What is measured, a file each.

mod catalog;
mod embedded;
mod enqueue;
mod idle;
mod latency;
mod stage;
mod work;

pub(crate) use catalog::catalog;
pub(crate) use embedded::embedded;
pub(crate) use enqueue::enqueue;
pub(crate) use idle::idle;
pub(crate) use latency::latency;
pub(crate) use stage::Stage;
pub(crate) use work::{concurrency, ledger, throughput};
