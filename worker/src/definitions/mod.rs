//! Definitions from a folder of files: read, checked, watched.

mod assemble;
mod catalog;
mod compiled;
mod decode;
mod document;
mod files;
mod finding;
mod metrics;
mod nearest;
mod schema;
mod watch;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use self::assemble::{Assembled, GoodFiles, assemble};
pub(crate) use self::nearest::nearest;
pub use self::{
    catalog::Catalog,
    compiled::{CompiledActionType, CompiledHttpAction, CompiledProvider},
    finding::Finding,
    watch::{Definitions, OpenError},
};

/// For the reference of all metrics.
pub(crate) fn metric_collectors() -> prometheus::Result<Vec<Box<dyn prometheus::core::Collector>>> {
    metrics::Metrics::all()
}

/// Reads a folder: everything that is wrong with any of its files is a finding, and what is wrong
/// is not in the catalog. `handlers` are the identifiers that definitions may name.
pub fn load(folder: &Path, handlers: &[String]) -> io::Result<(Catalog, Vec<Finding>)> {
    let listing = files::list(folder)?;
    let Assembled { catalog, findings, .. } =
        assemble(read_all(listing.keys()), &GoodFiles::new(), handlers);
    Ok((catalog, findings))
}

type Texts = BTreeMap<PathBuf, Result<String, String>>;

fn read_all<'a>(paths: impl Iterator<Item = &'a PathBuf>) -> Texts {
    paths.map(|path| (path.clone(), files::read(path))).collect()
}

#[cfg(test)]
mod load_tests;
