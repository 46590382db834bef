//! A job comes in, a result goes out: the pipeline, the handlers, the backends they call.

pub mod backend;
pub mod config;
mod control;
pub mod definitions;
mod fleet;
pub mod handler;
pub mod handlers;
mod json_bytes;
mod ledger;
mod metrics;
mod notifier;
mod pipeline;
mod progress;
mod report;
pub mod retry;
mod running;
pub mod secrets;
mod signal;
mod stage;
mod worker;

pub use fleet::{Fleet, FleetError, Stopped};
pub use metrics::metric_collectors;
pub use signal::stop_and_force;
pub use stage::Stage;
pub mod template;
