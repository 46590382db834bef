//! Whether, and when, a failed attempt is made again: pure functions, no clock, no randomness.

mod backoff;
mod decide;
mod retry_after;

pub use backoff::backoff;
pub use decide::{Decision, decide};
pub use retry_after::{RETRY_AFTER_MAX, retry_after};
