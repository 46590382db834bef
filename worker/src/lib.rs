//! A job comes in, a result goes out: the pipeline, the handlers, the backends they call.

pub mod config;
pub mod definitions;
pub mod handler;
