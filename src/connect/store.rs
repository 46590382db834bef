//! The store of a command.

use actionfleet_store::{Store, StoreError};

use crate::{
    config::{Settings, StoreUrl},
    exit::{Exit, Failure, OrExit},
};

/// `None` where none is configured.
pub(crate) async fn open_store(settings: &Settings) -> Result<Option<Store>, Failure> {
    let Some(config) = settings.store_config().or_exit(Exit::Config)? else { return Ok(None) };
    let opened = actionfleet_store::open(config).await;
    opened.map(Some).map_err(|error| no_store(settings, &error))
}

/// For commands that are about what is in it.
pub(crate) async fn require_store(settings: &Settings) -> Result<Store, Failure> {
    open_store(settings).await?.ok_or_else(|| {
        let problem = "there is no store; set `store.url` to postgres://user:password@host/database \
                       or sqlite:PATH";
        Failure::message(Exit::Config, problem)
    })
}

pub(crate) fn no_store(settings: &Settings, error: &StoreError) -> Failure {
    let url = settings.store.url.as_ref().map(StoreUrl::shown).unwrap_or_default();
    match error {
        StoreError::Temporary(problem) => Failure::message(
            Exit::Unavailable,
            format!("cannot reach the store at {url}: {problem}; is it running? set `store.url`"),
        ),
        StoreError::Denied(problem) => Failure::message(
            Exit::Denied,
            format!(
                "the store at {url} refuses access: {problem}; check user, password and database \
                 in `store.url`"
            ),
        ),
        StoreError::Invalid { .. } => Failure::message(Exit::Data, error),
        StoreError::Failed(_) => Failure::message(Exit::Software, error),
        StoreError::ReadOnly(problem) => Failure::message(
            Exit::Unavailable,
            format!(
                "the store at {url} takes no writes: {problem}; make it writable, or set \
                 `store.url` to one that is, since a standby is not"
            ),
        ),
        StoreError::Full(problem) => {
            Failure::message(Exit::Unavailable, format!("the store at {url} is full: {problem}"))
        }
        StoreError::NewerSchema { .. }
        | StoreError::Held { .. }
        | StoreError::Corrupt { .. }
        | StoreError::Sealed { .. }
        | StoreError::Config(_) => Failure::message(Exit::Config, error),
    }
}
