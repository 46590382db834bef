//! Definitions from a folder of files: read, checked, watched.

mod catalog;
mod finding;
mod watch;

use std::path::Path;

pub use catalog::Catalog;
pub use finding::Finding;
pub use watch::{Definitions, OpenError};

/// Reads a folder strictly: everything that is wrong with any of its files is a finding, and what
/// is wrong is not in the catalog. `handlers` are the identifiers that definitions may name.
pub fn load(_folder: &Path, _handlers: &[String]) -> (Catalog, Vec<Finding>) {
    (Catalog::default(), Vec::new())
}
