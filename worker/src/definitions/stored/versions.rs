//! Versions of actions that jobs ask for by their number.

use std::sync::Arc;

use actionfleet_proto::definition::Problem;
use actionfleet_store::{Catalog, EntryKey, StoreError};
use moka::future::Cache;

use super::{
    super::{catalog::Origin, compiled::Compiled},
    assemble::compile,
};

/// Compiled versions that a worker keeps.
const KEPT: u64 = 1000;

/// A version never changes, so that it is asked for once.
#[derive(Debug)]
pub(in super::super) struct Versions(Cache<(EntryKey, u32), Compiled>);

/// Why a job cannot have the version that it asks for.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum VersionError {
    #[error("action_version: {0:?} is no definition of the catalog, and has no versions")]
    NotVersioned(String),
    #[error("action_version: {key} has no version {version}; its current one is {current}")]
    Unknown { key: EntryKey, version: u32, current: u32 },
    #[error("action_version: version {version} of {key} cannot be used any more: {problem}")]
    Unusable { key: EntryKey, version: u32, problem: String },
    #[error("action_version: the version cannot be read from the store just now")]
    Away(#[source] StoreError),
}

impl Versions {
    pub(in super::super) fn new() -> Self {
        Self(Cache::new(KEPT))
    }

    pub(in super::super) async fn get(
        &self,
        catalog: &dyn Catalog,
        origin: &Origin,
        version: u32,
    ) -> Result<Compiled, VersionError> {
        let Origin { key, version: current } = origin;
        let reading = async {
            let unusable =
                |problem: String| VersionError::Unusable { key: key.clone(), version, problem };
            let found = catalog.get(key, Some(version)).await.map_err(|error| match error {
                error if error.is_temporary() => VersionError::Away(error),
                error => unusable(error.to_string()),
            })?;
            let unknown = || VersionError::Unknown { key: key.clone(), version, current: *current };
            compile(&found.ok_or_else(unknown)?).map_err(|problems| {
                let problem = problems.into_iter().next();
                let problem =
                    problem.map(|Problem { field, problem }| format!("{field}: {problem}"));
                let problem = problem.unwrap_or_default();
                unusable(problem)
            })
        };
        let found = self.0.try_get_with((key.clone(), version), reading).await;
        found.map_err(|error: Arc<VersionError>| (*error).clone())
    }
}
