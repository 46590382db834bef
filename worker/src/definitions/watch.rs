use std::{path::PathBuf, sync::Arc};

use arc_swap::ArcSwap;
use prometheus::Registry;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Catalog, Finding};

/// The definitions of a running worker: always the last good version of each file.
#[derive(Debug)]
pub struct Definitions {
    catalog: ArcSwap<Catalog>,
    findings: ArcSwap<Vec<Finding>>,
    version: watch::Sender<u64>,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("definitions.path: cannot read the folder {}: {source}", folder.display())]
    Folder { folder: PathBuf, source: std::io::Error },
    #[error("cannot register the metrics of the definitions: {0}")]
    Metrics(#[from] prometheus::Error),
}

impl Definitions {
    /// Loads the folder; what is wrong with single files is logged and counted, never an error.
    /// `None` holds the built-in definitions alone.
    pub fn open(
        _folder: Option<PathBuf>,
        _handlers: Vec<String>,
        _metrics: &Registry,
    ) -> Result<Self, OpenError> {
        Ok(Self {
            catalog: ArcSwap::default(),
            findings: ArcSwap::default(),
            version: watch::Sender::new(1),
        })
    }

    /// The definitions as they are now.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.load_full()
    }

    /// What is wrong with the files as they are now.
    pub fn findings(&self) -> Arc<Vec<Finding>> {
        self.findings.load_full()
    }

    /// Counts the loads; changes after each one.
    pub fn version(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Follows the folder until cancelled.
    pub async fn watch(&self, cancel: CancellationToken) {
        cancel.cancelled().await;
    }
}
