//! What a producer can be told. Every value is validated where the configuration is read.

use std::time::Duration;

use actionfleet_proto::Names;

#[derive(Debug, Clone)]
pub struct ProducerConfig {
    pub names: Names,
    /// The AMQP `app_id` of jobs: who put them there.
    pub app_id: String,
    /// The largest job body, in bytes.
    pub job_bytes: usize,
    /// How long a job waits for a link and for its confirm before it is given up; `Duration::MAX`
    /// for ever.
    pub link_timeout: Duration,
    /// Jobs of one [`submit_many`](crate::Producer::submit_many) on their way at once.
    pub window: usize,
    /// Bytes of those jobs.
    pub window_bytes: usize,
    /// Callers of [`submit_and_wait`](crate::Producer::submit_and_wait) at once.
    pub waiters: usize,
}

impl Default for ProducerConfig {
    fn default() -> Self {
        Self {
            names: Names::default(),
            app_id: "actionfleet".to_owned(),
            job_bytes: 16 * 1024 * 1024,
            link_timeout: Duration::from_secs(30),
            window: 1_000,
            window_bytes: 16 * 1024 * 1024,
            waiters: 10_000,
        }
    }
}
