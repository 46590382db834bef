use std::num::NonZeroU32;

use actionfleet_proto::Span;

use crate::config::{section::section, setting::ByteSize};

section! {
    /// What a job may take.
    Limits "limits" {
        /// The largest job body.
        job_bytes: ByteSize = "16MiB",
        /// The largest response of a backend.
        response_bytes: ByteSize = "4MiB",
        /// The time limit of an attempt where neither job nor action names one.
        timeout: Span = "60s",
        /// The longest time limit of an attempt that anyone may ask for; with `worker.grace` below `broker.consumer_timeout`.
        max_timeout: Span = "10m",
        /// Deliveries of one message after which its workers are taken to die of it.
        deliveries: NonZeroU32 = "20",
    }
}
