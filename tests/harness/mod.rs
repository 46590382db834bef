//! What the cases stand on.

mod desk;
mod process;
mod rig;
mod script;

pub use desk::Desk;
pub use process::{Worker, actionfleet};
pub use rig::{PATIENCE, Rig};
