use std::num::NonZeroU32;

use actionfleet_proto::Span;

use crate::config::{
    section::section,
    setting::{ByteSize, Word},
};

section! {
    /// How jobs are put on the queue.
    Producer "producer" {
        /// The AMQP `app_id` of jobs: who put them there.
        app_id: Word = "actionfleet",
        /// How long a job waits for a link and for its confirm before it is given up.
        link_timeout: Span = "30s",
        /// Jobs on their way at once when many are enqueued.
        window: NonZeroU32 = "1000",
        /// Bytes of those jobs.
        window_bytes: ByteSize = "16MiB",
        /// Callers that wait for results at once.
        waiters: NonZeroU32 = "10000",
    }
}
