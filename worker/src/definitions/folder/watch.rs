use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use prometheus::Registry;
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Assembled, Catalog, Finding, GoodFiles, assemble,
    files::{self, Listing},
    metrics::Metrics,
    read_all,
};

/// Events are not promised on every file system, and a folder can be replaced under the watch.
const POLL: Duration = Duration::from_secs(30);

/// An editor writes, renames and touches: one load for all of it.
const QUIET: Duration = Duration::from_millis(100);

/// The definitions of a running worker: always the last good version of each file.
#[derive(Debug, Clone)]
pub struct Definitions(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    folder: Option<PathBuf>,
    handlers: Vec<String>,
    catalog: ArcSwap<Catalog>,
    findings: ArcSwap<Vec<Finding>>,
    version: watch::Sender<u64>,
    metrics: Metrics,
    files: Mutex<Files>,
}

#[derive(Debug, Default)]
struct Files {
    listing: Listing,
    good: GoodFiles,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("definitions.path: cannot read the folder {}: {source}", folder.display())]
    Folder { folder: PathBuf, source: io::Error },
    #[error("cannot register the metrics of the definitions: {0}")]
    Metrics(#[from] prometheus::Error),
}

impl Definitions {
    /// Loads the folder; what is wrong with single files is logged and counted, never an error.
    /// `None` holds the built-in definitions alone. `handlers` are the identifiers that
    /// definitions may name.
    pub fn open(
        folder: Option<PathBuf>,
        handlers: Vec<String>,
        metrics: &Registry,
    ) -> Result<Self, OpenError> {
        let inner = Inner {
            folder,
            handlers,
            catalog: ArcSwap::default(),
            findings: ArcSwap::default(),
            version: watch::Sender::new(0),
            metrics: Metrics::register(metrics)?,
            files: Mutex::default(),
        };
        match &inner.folder {
            Some(folder) => inner
                .load(folder)
                .map_err(|source| OpenError::Folder { folder: folder.clone(), source })?,
            None => inner.metrics.loaded(&inner.catalog.load(), &[]),
        }
        Ok(Self(Arc::new(inner)))
    }

    /// The definitions as they are now.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.0.catalog.load_full()
    }

    /// What is wrong with the files as they are now.
    pub fn findings(&self) -> Arc<Vec<Finding>> {
        self.0.findings.load_full()
    }

    /// Counts the loads; changes after each one.
    pub fn version(&self) -> watch::Receiver<u64> {
        self.0.version.subscribe()
    }

    /// Follows the folder until cancelled.
    pub async fn watch(&self, cancel: CancellationToken) {
        let Some(folder) = self.0.folder.as_deref() else { return };
        let changed = Arc::new(Notify::new());
        let mut watcher = watcher(&changed);
        loop {
            // again each time: a folder that was replaced has no watch any more
            if let Some(watcher) = &mut watcher
                && let Err(error) = watcher.watch(folder, RecursiveMode::Recursive)
            {
                tracing::debug!(%error, folder = %folder.display(), "cannot watch the definitions");
            }
            let waiting = timeout(POLL, quiet(&changed));
            let Some(event) = cancel.run_until_cancelled(waiting).await else { return };
            let inner = Arc::clone(&self.0);
            let reloading = tokio::task::spawn_blocking(move || inner.reload(event.is_ok()));
            if reloading.await.is_err() {
                tracing::error!("loading the definitions panicked; the last good ones stay");
            }
        }
    }
}

/// Returns when something has changed and then nothing more for a moment.
async fn quiet(changed: &Notify) {
    changed.notified().await;
    while timeout(QUIET, changed.notified()).await.is_ok() {
        sleep(QUIET).await;
    }
}

/// `None` where the system gives no watch; then polling has to do.
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

impl Inner {
    /// After an event, or where the listing differs from that of the last load.
    fn reload(&self, event: bool) {
        let Some(folder) = &self.folder else { return };
        let result = match files::list(folder) {
            Ok(listing) if !event && listing == self.files().listing => return,
            Ok(_) => self.load(folder),
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            // a folder that vanishes takes nothing with it: it may be on its way back
            let folder = folder.display();
            tracing::error!(%error, %folder, "cannot read the definitions; the last good ones stay");
        }
    }

    fn load(&self, folder: &Path) -> io::Result<()> {
        let listing = files::list(folder)?;
        let mut files = self.files();
        let Assembled { catalog, findings, good } =
            assemble(read_all(listing.keys()), &files.good, &self.handlers);
        *files = Files { listing, good };
        self.metrics.loaded(&catalog, &findings);
        if **self.findings.load() != findings {
            report(&findings);
        }
        self.catalog.store(Arc::new(catalog));
        self.findings.store(Arc::new(findings));
        drop(files);
        self.version.send_modify(|version| *version += 1);
        Ok(())
    }

    fn files(&self) -> std::sync::MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn report(findings: &[Finding]) {
    if findings.is_empty() {
        tracing::info!("all definitions are good again");
    }
    for Finding { file, line, field, problem } in findings {
        let file = file.display();
        tracing::error!(%file, line, field, problem, "a definition is wrong; its last good version stays");
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
