//! The definitions of a running worker.

use std::{
    collections::{BTreeMap, HashSet},
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use actionfleet_proto::definition::{Definition, DefinitionKind};
use actionfleet_store::StoreError;
use arc_swap::ArcSwap;
use prometheus::Registry;
use tokio::sync::{Notify, watch};

use super::{
    Catalog, Catalogs, Finding, Place,
    catalog::Item,
    folder::Folder,
    metrics::Metrics,
    stored::{Stored, VersionError, Versions},
};

/// Where definitions come from. Those that are built in are there in any case.
#[derive(Debug, Clone)]
pub enum Source {
    BuiltIn,
    /// A folder of files.
    Folder(PathBuf),
    /// The store's catalog. The files of the folder, if there is one, are applied to it.
    Store {
        catalog: Arc<dyn actionfleet_store::Catalog>,
        folder: Option<PathBuf>,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("definitions.path: cannot read the folder {}: {source}", folder.display())]
    Folder { folder: PathBuf, source: io::Error },
    #[error("cannot register the metrics of the definitions: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error("the definitions in the store: {0}")]
    Store(#[from] StoreError),
    #[error("reading the definitions panicked")]
    Panicked,
}

/// Always the last good version of each definition.
#[derive(Debug, Clone)]
pub struct Definitions(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) folder: Option<Folder>,
    pub(super) stored: Option<Stored>,
    pub(super) handlers: Vec<String>,
    /// Of files, not in the store yet.
    pub(super) pending: Mutex<Pending>,
    /// That somebody says that the catalog has changed.
    pub(super) told: Notify,
    /// One reading after the other, so that an older one does not win.
    pub(super) reading: tokio::sync::Mutex<()>,
    versions: Versions,
    catalogs: ArcSwap<Catalogs>,
    findings: Mutex<Findings>,
    loads: watch::Sender<u64>,
    metrics: Metrics,
}

/// By kind and identifier.
pub(super) type Pending = BTreeMap<(DefinitionKind, String), Definition>;

#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) files: Vec<Finding>,
    /// Of good files, for what else is in the store.
    pub(super) refused: Vec<Finding>,
    pub(super) entries: Vec<Finding>,
}

impl Findings {
    fn all(&self) -> Vec<Finding> {
        [self.files.as_slice(), &self.refused, &self.entries].concat()
    }
}

impl Definitions {
    /// Loads them; what is wrong with single ones is logged and counted, never an error. `handlers`
    /// are the identifiers that definitions may name. Waits for a store that is away.
    pub async fn open(
        source: Source,
        handlers: Vec<String>,
        metrics: &Registry,
    ) -> Result<Self, OpenError> {
        let (folder, stored) = match source {
            Source::BuiltIn => (None, None),
            Source::Folder(folder) => (Some(folder), None),
            Source::Store { catalog, folder } => (folder, Some(catalog)),
        };
        let inner = Inner {
            folder: folder.map(Folder::new),
            stored: stored.map(|catalog| Stored::new(catalog, handlers.clone())),
            handlers,
            pending: Mutex::default(),
            told: Notify::new(),
            reading: tokio::sync::Mutex::default(),
            versions: Versions::new(),
            catalogs: ArcSwap::default(),
            findings: Mutex::default(),
            loads: watch::Sender::new(0),
            metrics: Metrics::register(metrics)?,
        };
        let inner = Arc::new(inner);
        inner.start().await?;
        Ok(Self(inner))
    }

    /// What the jobs of a tenant can name, as it is now.
    pub fn catalog(&self, tenant: &str) -> Arc<Catalog> {
        Arc::clone(self.0.catalogs.load().of(tenant))
    }

    /// A catalog with another version of one of its actions. Only a version that is not the current
    /// one is read from the store, and once.
    pub(crate) async fn catalog_at(
        &self,
        catalog: Arc<Catalog>,
        action: &str,
        version: u32,
    ) -> Result<Arc<Catalog>, VersionError> {
        let (Some(origin), Some(stored)) = (catalog.origin(action), &self.0.stored) else {
            return Err(VersionError::NotVersioned(action.to_owned()));
        };
        if origin.version == version {
            return Ok(catalog);
        }
        let compiled = self.0.versions.get(&**stored.catalog(), origin, version).await?;
        let item = Item { compiled, enabled: true, origin: None };
        Ok(Arc::new(Catalog::over(catalog, [item])))
    }

    /// What is wrong with definitions as they are now.
    pub fn findings(&self) -> Vec<Finding> {
        self.0.findings().all()
    }

    /// Counts the loads; changes after each one.
    pub fn loads(&self) -> watch::Receiver<u64> {
        self.0.loads.subscribe()
    }

    /// Looks at the catalog now, because somebody says that it has changed.
    pub fn look(&self) {
        self.0.told.notify_one();
    }
}

impl Inner {
    /// Puts them into force.
    pub(super) fn set(&self, catalogs: Catalogs) {
        self.metrics.loaded(&catalogs);
        self.catalogs.store(Arc::new(catalogs));
        self.loads.send_modify(|loads| *loads += 1);
    }

    /// Of the catalog that is in force, once there is one.
    pub(super) fn revision(&self) -> Option<u64> {
        (*self.loads.borrow() > 0).then(|| self.catalogs.load().revision())
    }

    pub(super) fn has_findings_of_files(&self) -> bool {
        !self.findings().files.is_empty()
    }

    /// Logs what is new of them.
    pub(super) fn found(&self, set: impl FnOnce(&mut Findings)) {
        let mut findings = self.findings();
        let before = findings.all();
        set(&mut findings);
        let now = findings.all();
        self.metrics.found(&now);
        drop(findings);
        let known: HashSet<&Finding> = before.iter().collect();
        for Finding { place, field, problem } in now.iter().filter(|now| !known.contains(now)) {
            let (file, line, entry) = match place {
                Place::File { path, line } => (Some(path.display().to_string()), *line, None),
                Place::Entry(key) => (None, None, Some(key.to_string())),
            };
            tracing::error!(
                file,
                line,
                entry,
                field,
                problem,
                "a definition is wrong; its last good version stays"
            );
        }
        if now.is_empty() && !before.is_empty() {
            tracing::info!("all definitions are good again");
        }
    }

    fn findings(&self) -> MutexGuard<'_, Findings> {
        self.findings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
