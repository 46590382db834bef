//! The built-in handlers, and the list of all handlers of a fleet.

mod registry;

pub use registry::{DuplicateHandler, Handlers};
