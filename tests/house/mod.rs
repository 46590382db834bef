//! The rules of the house: who depends on whom, under which licences, how long a file may be.

mod dependencies;
mod graph;
mod policy;
mod reference;
mod setup;
mod text;

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn path(name: &str) -> PathBuf {
    root().join(name)
}
