//! Where the queue lives and what it holds.

use std::path::PathBuf;

use actionfleet_proto::Names;

use crate::port::TopologyMode;

#[derive(Debug, Clone)]
pub struct EmbeddedConfig {
    /// Created if it is missing, and to be on a local disk: the file is `queue.db`, and beside it
    /// is `queue-sessions`, with a file for each process that uses it.
    pub folder: PathBuf,
    pub names: Names,
    pub lanes: Vec<String>,
    /// What opening does about the topology; `None` leaves it alone.
    pub topology: Option<TopologyMode>,
    /// The size up to which the file may grow; then publishes are refused. Without it, the disk is
    /// the limit.
    pub max_bytes: Option<u64>,
}

impl EmbeddedConfig {
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            names: Names::default(),
            lanes: vec!["default".to_owned(), "bulk".to_owned()],
            topology: Some(TopologyMode::Declare),
            max_bytes: None,
        }
    }

    pub(super) fn file(&self) -> PathBuf {
        self.folder.join("queue.db")
    }
}
