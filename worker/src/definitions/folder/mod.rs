//! Definitions from a folder of files.

mod assemble;
mod document;
mod files;
mod watch;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use actionfleet_proto::definition::Definition;

pub(super) use self::watch::{Look, Watch};
use self::{
    assemble::{Assembled, Good, GoodFiles, assemble},
    files::Listing,
};
use super::{Finding, Referable, catalog::Item};

/// A folder, with the last good version of each of its files.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    files: Mutex<Files>,
}

#[derive(Debug, Default)]
struct Files {
    listing: Listing,
    good: GoodFiles,
}

/// What came of reading a folder.
#[derive(Debug)]
pub(super) struct Read {
    /// All of them, ready to execute.
    pub(super) items: Vec<Item>,
    /// Those that the last reading did not find as they are now.
    pub(super) changed: Vec<Definition>,
    pub(super) findings: Vec<Finding>,
}

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, files: Mutex::default() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Everything that is wrong with any file is a finding, and its last good version stays.
    pub(super) fn read(&self, referable: &Referable) -> io::Result<Read> {
        let listing = files::list(&self.path)?;
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let Assembled { findings, good } =
            assemble(read_all(listing.keys()), &files.good, referable);
        let is_new = |path: &PathBuf, version: &Good| !version.is_same(files.good.get(path));
        let new = good.iter().filter(|(path, version)| is_new(path, version));
        let changed = new.map(|(_, version)| version.compiled.definition()).collect();
        let items = good.values().map(|version| Item::from(version.compiled.clone())).collect();
        *files = Files { listing, good };
        Ok(Read { items, changed, findings })
    }

    /// Whether files came, went or were written since the last reading.
    pub(super) fn differs(&self) -> io::Result<bool> {
        let listing = files::list(&self.path)?;
        Ok(listing != self.files.lock().unwrap_or_else(PoisonError::into_inner).listing)
    }
}

fn read_all<'a>(
    paths: impl Iterator<Item = &'a PathBuf>,
) -> BTreeMap<PathBuf, Result<String, String>> {
    paths.map(|path| (path.clone(), files::read(path))).collect()
}
