//! Definitions from a folder of files: read, checked, watched.

/// A consistent set of definitions.
#[derive(Debug, Default)]
pub struct Catalog {}
