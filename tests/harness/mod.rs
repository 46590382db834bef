//! What the cases stand on.

mod desk;
mod process;
mod rig;
mod script;
mod service;

pub use desk::{Desk, broker};
pub use process::{Worker, actionfleet};
pub use rig::{PATIENCE, Rig};
pub use service::Service;
