use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{connect::DataFile, error::store_error};
use crate::error::StoreError;

/// Connections that read, opened as they are needed.
#[derive(Debug, Clone)]
pub(super) struct Readers {
    file: DataFile,
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(file: DataFile, size: usize) -> Self {
        Self { file, permits: Arc::new(Semaphore::new(size.max(1))), idle: Arc::default() }
    }

    /// Runs a query on a thread that may block.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = self.permits.clone().acquire_owned().await;
        let permit = permit.map_err(|_| StoreError::closed())?;
        let (file, idle) = (self.file.clone(), self.idle.clone());
        let run = move || {
            let _permit = permit;
            let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = kept.map_or_else(|| file.open_reader(), Ok)?;
            let found = query(&connection).map_err(|error| store_error(file.path(), &error));
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            found
        };
        let ran = tokio::task::spawn_blocking(run).await;
        ran.map_err(|error| StoreError::Failed(error.to_string()))?
    }
}
