//! End-to-end tests: everything over a real RabbitMQ that the harness starts, one virtual host a
//! test; and the rules of the house. One binary, so that it is linked once; only the tests of the
//! clients have their own.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]
#![allow(unreachable_pub, clippy::missing_panics_doc, reason = "a test binary has no API")]

mod cases;
mod harness;
mod house;
