//! End-to-end tests: everything over a real RabbitMQ that the harness starts, one virtual host a
//! test. One binary, so that it is linked once.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]
#![allow(unreachable_pub, clippy::missing_panics_doc, reason = "a test binary has no API")]

mod cases;
mod harness;
