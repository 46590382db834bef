//! A job comes in, a result goes out: the pipeline, the handlers, the backends they call.

pub mod backend;
pub mod config;
pub mod definitions;
pub mod handler;
pub mod handlers;
pub mod retry;
pub mod secrets;
pub mod template;
