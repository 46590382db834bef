//! What outlives a process: the [`Ledger`] of jobs, the [`Catalog`] of definitions, [`Secrets`].
//! Each is a port with two engines, chosen by the URL: `PostgreSQL` for a fleet, and one `SQLite`
//! file for a machine. One suite of tests holds both to the same contract.

mod catalog;
mod config;
mod embedded;
mod error;
mod ledger;
mod port;
mod postgres;
mod secrets;
mod sql;

use std::sync::Arc;

use secrecy::ExposeSecret as _;

pub use config::StoreConfig;
pub use error::StoreError;
pub use port::*;
pub use secrets::KeyRing;

use self::{
    embedded::Embedded,
    postgres::Postgres,
    secrets::{SecretRows, Vault},
};

/// An open store. It closes when the last of its ports is dropped.
#[derive(Debug, Clone)]
pub struct Store {
    pub catalog: Arc<dyn Catalog>,
    pub ledger: Arc<dyn Ledger>,
    pub secrets: Arc<dyn Secrets>,
}

impl Store {
    fn over<E: Catalog + Ledger + SecretRows>(engine: Arc<E>, keys: Option<KeyRing>) -> Self {
        let secrets = Arc::new(Vault::new(engine.clone(), keys));
        Self { catalog: engine.clone(), ledger: engine, secrets }
    }
}

/// Opens a store, creates or updates its schema, and returns once it can be used.
pub async fn open(config: StoreConfig) -> Result<Store, StoreError> {
    let url = config.url.expose_secret();
    if let Some(path) = url.strip_prefix("sqlite:") {
        if path.is_empty() {
            let problem =
                "store.url is \"sqlite:\" without a path; give one, as sqlite:data/store.db";
            return Err(StoreError::Config(problem.to_owned()));
        }
        let engine = Embedded::open(path.into(), &config).await?;
        return Ok(Store::over(engine, config.keys.clone()));
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        let engine = Postgres::open(url, &config).await?;
        return Ok(Store::over(engine, config.keys.clone()));
    }
    let scheme = url.split(':').next().unwrap_or_default();
    Err(StoreError::Config(format!(
        "store.url begins with {scheme:?}; use postgres://user:password@host/database or sqlite:PATH"
    )))
}
