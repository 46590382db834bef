use std::time::Duration;

use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use super::work::Work;

/// How calls are gathered into batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchConfig {
    pub(crate) max_calls: usize,
    pub(crate) max_bytes: usize,
    /// How long a batch waits for more while there is load.
    pub(crate) linger: Duration,
}

impl BatchConfig {
    pub(crate) const DEFAULT: Self =
        Self { max_calls: 256, max_bytes: 8 * 1024 * 1024, linger: Duration::from_millis(1) };
}

/// Takes calls from a queue, batch after batch.
#[derive(Debug)]
pub(crate) struct Gather {
    calls: mpsc::Receiver<Work>,
    config: BatchConfig,
    /// A single call on an idle store goes at once; it is under load that waiting pays.
    had_many: bool,
}

impl Gather {
    pub(crate) fn new(calls: mpsc::Receiver<Work>, config: BatchConfig) -> Self {
        Self { calls, config, had_many: false }
    }

    /// At least one call; `None` once every caller is gone.
    pub(crate) async fn next(&mut self) -> Option<Vec<Work>> {
        let first = self.calls.recv().await?;
        let mut bytes = first.size();
        let mut batch = vec![first];
        let deadline = Instant::now() + self.config.linger;
        while batch.len() < self.config.max_calls && bytes < self.config.max_bytes {
            let next = match self.calls.try_recv() {
                Ok(work) => Some(work),
                Err(_) if self.had_many => {
                    timeout_at(deadline, self.calls.recv()).await.ok().flatten()
                }
                Err(_) => None,
            };
            let Some(work) = next else { break };
            bytes = bytes.saturating_add(work.size());
            batch.push(work);
        }
        self.had_many = batch.len() > 1;
        Some(batch)
    }
}
