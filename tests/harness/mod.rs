//! What the cases stand on.

mod rig;
mod script;

pub use rig::{PATIENCE, Rig};
