//! How far a job is: told to whoever asked for it, and no more often than is good for anyone.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    time::{Instant, sleep_until},
};

/// The least time between two reports of one job, but for the last.
const PACE: Duration = Duration::from_millis(500);

/// One report on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) attempt: u32,
    pub(crate) done: u64,
    pub(crate) total: u64,
    pub(crate) text: String,
}

/// Where an attempt reports to. By default nobody listens, and a report costs next to nothing.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    attempt: u32,
    shared: Option<Arc<Shared>>,
}

/// The reports of one job, over all its attempts.
#[derive(Debug, Default)]
pub(crate) struct Reporter(Option<Arc<Shared>>);

struct Shared {
    tell: Box<dyn Fn(Report) + Send + Sync>,
    /// Handlers may report from threads of their own.
    runtime: Handle,
    state: Mutex<State>,
}

struct State {
    /// The attempt that may report; 0 between attempts.
    attempt: u32,
    /// When the next report may go out.
    next: Instant,
    /// The latest of those that came too early.
    waiting: Option<Report>,
}

impl Reporter {
    /// `tell` is called under a lock: it must not wait.
    pub(crate) fn new(tell: impl Fn(Report) + Send + Sync + 'static) -> Self {
        let state = State { attempt: 0, next: Instant::now(), waiting: None };
        Self(Some(Arc::new(Shared {
            tell: Box::new(tell),
            runtime: Handle::current(),
            state: Mutex::new(state),
        })))
    }

    pub(crate) fn begin(&self, attempt: u32) -> Progress {
        if let Some(shared) = &self.0 {
            shared.state().attempt = attempt;
        }
        Progress { attempt, shared: self.0.clone() }
    }

    /// The last report goes out; what a handler left behind reports no more.
    pub(crate) fn end(&self) {
        if let Some(shared) = &self.0 {
            let mut state = shared.state();
            shared.flush(&mut state);
            state.attempt = 0;
        }
    }
}

impl Progress {
    pub(crate) fn report(&self, done: u64, total: u64, text: impl Into<String>) {
        let Some(shared) = &self.shared else { return };
        let mut state = shared.state();
        if state.attempt != self.attempt {
            return;
        }
        let report = Report { attempt: self.attempt, done, total, text: text.into() };
        let is_first = state.waiting.replace(report).is_none();
        if state.next <= Instant::now() {
            shared.flush(&mut state);
        } else if is_first {
            let due = Shared::flush_at(Arc::downgrade(shared), state.next);
            shared.runtime.spawn(due);
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn flush(&self, state: &mut State) {
        if let Some(report) = state.waiting.take() {
            state.next = Instant::now() + PACE;
            (self.tell)(report);
        }
    }

    async fn flush_at(shared: Weak<Self>, due: Instant) {
        sleep_until(due).await;
        let Some(shared) = shared.upgrade() else { return };
        let mut state = shared.state();
        // another report may have gone out, and yet another may wait with a timer of its own
        if state.next <= due {
            shared.flush(&mut state);
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

#[cfg(test)]
#[path = "progress_tests.rs"]
mod tests;
