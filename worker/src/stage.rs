//! Where a job has got to, for whoever watches.

use std::{fmt, sync::Arc};

/// What a stage of the pipeline has done. Each is told before the next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    Received,
    Claimed,
    Executed,
    Recorded,
    Published,
    Parked,
    Settled,
}

impl Stage {
    pub const ALL: [Self; 7] = [
        Self::Received,
        Self::Claimed,
        Self::Executed,
        Self::Recorded,
        Self::Published,
        Self::Parked,
        Self::Settled,
    ];
}

type Observe = dyn Fn(Stage, &str) + Send + Sync;

/// Called with the job's id, as far as it is known: it must not block.
#[derive(Clone, Default)]
pub(crate) struct Observer(pub(crate) Option<Arc<Observe>>);

impl Observer {
    pub(crate) fn reached(&self, stage: Stage, job_id: &str) {
        if let Some(observe) = &self.0 {
            observe(stage, job_id);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Observer(set)" } else { "Observer(none)" })
    }
}
