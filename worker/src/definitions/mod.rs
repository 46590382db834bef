//! Definitions: read, checked and compiled; from a folder of files, or from the store's catalog.

mod catalog;
mod catalogs;
mod compiled;
mod decode;
mod finding;
mod folder;
mod follow;
mod known;
mod live;
mod metrics;
mod nearest;
mod schema;
pub mod stored;

use std::{io, path::Path};

use actionfleet_proto::definition::Definition;

use self::folder::{Folder, Read};
pub use self::{
    catalog::Catalog,
    catalogs::Catalogs,
    compiled::{CompiledActionType, CompiledHttpAction, CompiledProvider},
    finding::{Finding, Place},
    live::{Definitions, OpenError, Source},
};
pub(crate) use self::{nearest::nearest, stored::VersionError};

/// For the reference of all metrics.
pub(crate) fn metric_collectors() -> prometheus::Result<Vec<Box<dyn prometheus::core::Collector>>> {
    metrics::Metrics::all()
}

/// What definitions may name besides each other.
#[derive(Debug, Clone, Default)]
pub struct Referable {
    pub handlers: Vec<String>,
    pub providers: Vec<String>,
}

/// What a folder of files holds.
#[derive(Debug)]
pub struct Loaded {
    /// Ready to execute.
    pub catalog: Catalog,
    /// In the order of their files.
    pub definitions: Vec<Definition>,
    /// Everything that is wrong with any file; such a file is not in the other two.
    pub findings: Vec<Finding>,
}

/// Reads a folder.
pub fn load(folder: &Path, referable: &Referable) -> io::Result<Loaded> {
    let Read { items, changed, findings } = Folder::new(folder.to_owned()).read(referable)?;
    Ok(Loaded { catalog: Catalog::shared(items), definitions: changed, findings })
}

#[cfg(test)]
mod load_tests;
