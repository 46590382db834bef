use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout, timeout_at},
};

/// Events are not promised on every file system, and a folder can be replaced under the watch.
const POLL: Duration = Duration::from_secs(30);

/// An editor writes, renames and touches: one load for all of it.
const QUIET: Duration = Duration::from_millis(100);
/// Somebody may write there all the time.
const QUIET_MAX: Duration = Duration::from_secs(2);

/// Tells when to look at a folder again.
pub(in super::super) struct Watch {
    folder: PathBuf,
    /// `None` where the system gives none; then polling has to do.
    watcher: Option<RecommendedWatcher>,
    changed: Arc<Notify>,
    /// Whether something has changed that nobody was told of yet.
    pending: bool,
    /// When to look in any case.
    due: Instant,
}

/// Why to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Look {
    /// The system says that something has changed.
    Changed,
    /// It is time.
    Due,
}

impl Watch {
    pub(in super::super) fn new(folder: &Path) -> Self {
        let changed = Arc::new(Notify::new());
        let watcher = watcher(&changed);
        let due = Instant::now() + POLL;
        Self { folder: folder.to_owned(), watcher, changed, pending: false, due }
    }

    /// Returns when something has changed and then nothing more for a moment, or after a while.
    /// Dropped before, it forgets nothing.
    pub(in super::super) async fn next(&mut self) -> Look {
        // again each time: a folder that was replaced has no watch any more
        if let Some(watcher) = &mut self.watcher
            && let Err(error) = watcher.watch(&self.folder, RecursiveMode::Recursive)
        {
            let folder = self.folder.display();
            tracing::debug!(%error, %folder, "cannot watch the definitions");
        }
        if !self.pending {
            self.pending = timeout_at(self.due, self.changed.notified()).await.is_ok();
        }
        let look = if self.pending { Look::Changed } else { Look::Due };
        let until = Instant::now() + QUIET_MAX;
        while self.pending && timeout(QUIET, self.changed.notified()).await.is_ok() {
            if Instant::now() >= until {
                break;
            }
            sleep(QUIET).await;
        }
        self.pending = false;
        self.due = Instant::now() + POLL;
        look
    }
}

fn watcher(changed: &Arc<Notify>) -> Option<RecommendedWatcher> {
    let changed = Arc::clone(changed);
    let on_event = move |event: notify::Result<notify::Event>| {
        // reading the files is no change
        if event.is_ok_and(|event| !event.kind.is_access()) {
            changed.notify_one();
        }
    };
    notify::recommended_watcher(on_event)
        .inspect_err(|error| tracing::warn!(%error, "definitions are polled, not watched"))
        .ok()
}
