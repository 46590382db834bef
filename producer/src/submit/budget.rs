//! Bytes in memory at once: a window counted in jobs alone would hold a thousand pictures.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Debug, Clone)]
pub(crate) struct Budget {
    bytes: Arc<Semaphore>,
    whole: u32,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Self {
        let whole = u32::try_from(bytes.clamp(1, Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        let permits = usize::try_from(whole).unwrap_or(Semaphore::MAX_PERMITS);
        Self { bytes: Arc::new(Semaphore::new(permits)), whole }
    }

    /// Waits until the bytes fit; what is larger than the whole budget waits for all of it.
    pub(crate) fn share(
        &self,
        bytes: usize,
    ) -> impl Future<Output = Option<OwnedSemaphorePermit>> + use<> {
        let share = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.whole);
        let semaphore = Arc::clone(&self.bytes);
        // never closed: an error cannot come
        async move { semaphore.acquire_many_owned(share).await.ok() }
    }
}
