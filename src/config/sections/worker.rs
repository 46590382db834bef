use std::num::NonZeroU16;

use actionfleet_proto::Span;

use crate::config::{section::section, setting::LaneList};

section! {
    /// How much a worker does at once, and how it stops.
    Worker "worker" {
        /// Jobs in execution at once, shared among the lanes that name no `permits` of their own, by weight.
        permits: NonZeroU16 = "256",
        /// The lanes that this worker serves; all where empty.
        lanes: LaneList = "",
        /// What jobs in flight get to finish before they are cancelled when the worker stops.
        grace: Span = "30s",
    }
}
