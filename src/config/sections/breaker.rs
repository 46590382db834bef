use std::num::NonZeroU32;

use actionfleet_proto::Span;

use crate::config::{section::section, setting::Ratio};

section! {
    /// When calls to a backend are turned away.
    Breaker "breaker" {
        /// Share of failed calls at which the circuit opens.
        failure_ratio: Ratio = "0.5",
        /// Calls over which the share is taken.
        window: NonZeroU32 = "50",
        /// How long it stays open before calls are tried again.
        open_for: Span = "5s",
    }
}
