//! What happens when the database does not work.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "a test may panic, has no outside, and may be a long table"
)]

mod file;
mod load;
mod server;
mod tls;
mod watch;
