use std::{fmt, future::Future, time::Duration};

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, PoolError, RecyclingMethod, Runtime,
    TimeoutType,
};
use tokio_postgres::Error;

use super::{
    SCHEMA,
    connect::Target,
    error::{bounded, store_error, timed_out},
};
use crate::{config::StoreConfig, error::StoreError};

/// How much longer than the server's own limit a call is waited for.
const SLACK: Duration = Duration::from_secs(2);

#[derive(Clone)]
pub(super) struct Pool {
    inner: deadpool_postgres::Pool,
    limit: Duration,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("status", &self.inner.status()).finish_non_exhaustive()
    }
}

impl Pool {
    pub(super) fn new(target: &Target, config: &StoreConfig) -> Result<Self, StoreError> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(target.config.clone(), target.tls.clone(), recycling);
        let session = session(config.timeout);
        let prepare = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
            let session = session.clone();
            Box::pin(
                async move { client.batch_execute(&session).await.map_err(HookError::Backend) },
            )
        });
        let inner = deadpool_postgres::Pool::builder(manager)
            .max_size(config.pool_size.max(2))
            .wait_timeout(Some(config.timeout))
            .create_timeout(Some(config.timeout))
            .recycle_timeout(Some(config.timeout))
            .runtime(Runtime::Tokio1)
            .post_create(prepare)
            .build()
            .map_err(|error| StoreError::Config(error.to_string()))?;
        Ok(Self { inner, limit: config.timeout.saturating_add(SLACK) })
    }

    /// Waits for a connection; one that does not come in time is a temporary error.
    pub(super) async fn session(&self) -> Result<Session, StoreError> {
        let object = self.inner.get().await.map_err(|error| self.pool_error(&error))?;
        Ok(Session { object: Some(object), limit: self.limit })
    }

    fn pool_error(&self, error: &PoolError) -> StoreError {
        match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
                store_error(error)
            }
            PoolError::Timeout(TimeoutType::Wait) => StoreError::Temporary(format!(
                "all {} connections are in use; raise store.pool_size where that lasts",
                self.inner.status().max_size
            )),
            PoolError::Timeout(_) => timed_out(self.inner.timeouts().create.unwrap_or(self.limit)),
            other => StoreError::Temporary(other.to_string()),
        }
    }
}

/// What every connection of the pool is told first. Plans that are kept must not read whole
/// partitions because those were empty when the plan was made.
fn session(timeout: Duration) -> String {
    let timeout = timeout.as_millis();
    format!(
        "set search_path to {SCHEMA}; set timezone to 'UTC'; \
         set enable_seqscan to off; set statement_timeout to {timeout}; \
         set lock_timeout to {timeout}; set idle_in_transaction_session_timeout to {timeout}"
    )
}

/// A connection of the pool. It goes back by [`done`](Self::done) alone: dropped before, it is
/// closed, since something may still be under way on it.
pub(super) struct Session {
    object: Option<Object>,
    pub(super) limit: Duration,
}

impl Session {
    /// Awaits a call on this connection, for a limited time.
    pub(super) async fn run<T>(
        &self,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, StoreError> {
        bounded(self.limit, call).await
    }

    pub(super) fn client(&self) -> Result<&Object, StoreError> {
        self.object.as_ref().ok_or_else(StoreError::closed)
    }

    pub(super) fn done(mut self) {
        drop(self.object.take());
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}
