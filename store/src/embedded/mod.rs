//! The engine in one `SQLite` file, for one machine: one thread writes, and commits what came in
//! meanwhile together; a few connections read. Other processes may use the same file.

mod catalog;
mod catalog_rows;
mod connect;
mod error;
mod ledger;
mod ledger_rows;
mod migrate;
mod readers;
mod secrets;
#[cfg(test)]
mod tests;
mod watch;
mod writer;

use std::{path::PathBuf, sync::Arc};

use tokio::sync::Notify;

use self::{connect::DataFile, readers::Readers, writer::Writer};
use crate::{catalog::Revisions, config::StoreConfig, error::StoreError};

/// An open file.
#[derive(Debug)]
pub(crate) struct Embedded {
    writer: Writer,
    readers: Readers,
    revisions: Revisions,
    /// This process changed something that others wait for.
    changed: Arc<Notify>,
}

impl Embedded {
    /// Creates the file and its folder where they are missing, and brings the schema up to date.
    pub(crate) async fn open(path: PathBuf, config: &StoreConfig) -> Result<Arc<Self>, StoreError> {
        let file = DataFile::new(path, config);
        let opening = file.clone();
        let connection = tokio::task::spawn_blocking(move || opening.open())
            .await
            .map_err(|error| StoreError::Failed(error.to_string()))??;
        let writer = Writer::start(connection, file.clone())?;
        let readers = Readers::new(file, config.pool_size);
        let revisions = Revisions::new(readers.read(catalog_rows::revisions).await?);
        let changed = Arc::new(Notify::new());
        let engine = Arc::new(Self { writer, readers, revisions, changed: changed.clone() });
        tokio::spawn(watch::run(Arc::downgrade(&engine), changed, config.poll));
        Ok(engine)
    }
}
