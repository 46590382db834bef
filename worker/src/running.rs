//! The jobs in execution here, by id, so that they can be cancelled and named.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

/// Cancelled ids that are remembered for jobs still on their way; the oldest is forgotten first.
const REMEMBERED: usize = 10_000;

#[derive(Debug, Clone, Default)]
pub(crate) struct Running(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// An id can be here more than once: the queue may deliver a job again.
    jobs: HashMap<String, (CancellationToken, usize)>,
    cancelled: HashSet<String>,
    order: VecDeque<String>,
}

impl Running {
    pub(crate) fn enter(&self, id: &str) -> Entered {
        let mut inner = self.inner();
        let cancelled = inner.cancelled.contains(id);
        let (token, count) = inner.jobs.entry(id.to_owned()).or_default();
        *count += 1;
        if cancelled {
            token.cancel();
        }
        Entered { token: token.clone(), id: id.to_owned(), running: self.clone() }
    }

    /// Stops the job where it runs, and remembers the id for where it arrives.
    pub(crate) fn cancel(&self, id: &str) {
        let mut inner = self.inner();
        if let Some((token, _)) = inner.jobs.get(id) {
            token.cancel();
        }
        if inner.cancelled.insert(id.to_owned()) {
            inner.order.push_back(id.to_owned());
            if inner.order.len() > REMEMBERED
                && let Some(oldest) = inner.order.pop_front()
            {
                inner.cancelled.remove(&oldest);
            }
        }
    }

    pub(crate) fn is_cancelled(&self, id: &str) -> bool {
        let inner = self.inner();
        !inner.cancelled.is_empty() && inner.cancelled.contains(id)
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        let mut ids: Vec<_> = self.inner().jobs.keys().cloned().collect();
        ids.sort();
        ids
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job in execution; leaves when dropped.
#[derive(Debug)]
pub(crate) struct Entered {
    token: CancellationToken,
    id: String,
    running: Running,
}

impl Entered {
    /// Fires when the job is cancelled.
    pub(crate) fn token(&self) -> &CancellationToken {
        &self.token
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut inner = self.running.inner();
        if let Some((_, count)) = inner.jobs.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                inner.jobs.remove(&self.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_cancelled_where_it_runs_and_where_it_arrives() {
        let running = Running::default();
        let (first, again) = (running.enter("a"), running.enter("a"));
        running.cancel("a");
        assert!(first.token().is_cancelled() && again.token().is_cancelled());
        assert!(running.is_cancelled("a") && !running.is_cancelled("b"));
        drop(first);
        assert_eq!(running.ids(), ["a"]);
        drop(again);
        assert!(running.ids().is_empty());
        assert!(running.enter("a").token().is_cancelled(), "remembered between two looks");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let running = Running::default();
        for n in 0..=REMEMBERED {
            running.cancel(&n.to_string());
        }
        assert!(!running.is_cancelled("0") && running.is_cancelled("1"));
    }
}
