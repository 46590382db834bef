//! The built-in handlers, and the list of all handlers of a fleet.

mod registry;
#[cfg(test)]
pub(crate) mod testing;

pub use registry::{DuplicateHandler, Handlers};
