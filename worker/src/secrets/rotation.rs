//! Secrets come under the current key by themselves.

use std::{sync::Arc, time::Duration};

use actionfleet_store::{Secrets, StoreError};
use tokio::time::sleep;

/// And never sooner than half of it after a start: workers that are started anew one after the other
/// with a new key should all have it by then.
const INTERVAL: Duration = Duration::from_secs(60 * 60);

/// Once, and again until it works. Not for ever: a worker that still has the old key in front would
/// undo what the others did.
pub(crate) async fn keep_rotated(secrets: Arc<dyn Secrets>) {
    loop {
        sleep(INTERVAL.mul_f64(0.5 + fastrand::f64())).await;
        match secrets.rotate().await {
            Ok(secrets) => {
                tracing::info!(secrets, "secrets are encrypted with the current key now");
                return;
            }
            // without a key there is nothing to encrypt
            Err(error @ StoreError::Config(_)) => tracing::debug!(%error, "no secret is encrypted"),
            Err(error) => tracing::warn!(%error, "some secrets stay under an old key for now"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, sync::Mutex};

    use actionfleet_store::SecretInfo;
    use async_trait::async_trait;
    use secrecy::SecretString;
    use tokio::time::Instant;

    use super::*;

    /// Says when it was rotated, and answers as it is told.
    #[derive(Debug)]
    struct Rotated {
        start: Instant,
        after: Mutex<Vec<Duration>>,
        answers: Mutex<VecDeque<Result<u64, StoreError>>>,
    }

    #[async_trait]
    impl Secrets for Rotated {
        async fn set(&self, _: &str, _: &str, _: SecretString) -> Result<(), StoreError> {
            unreachable!()
        }

        async fn get(&self, _: &str, _: &str) -> Result<Option<SecretString>, StoreError> {
            unreachable!()
        }

        async fn list(&self, _: &str) -> Result<Vec<SecretInfo>, StoreError> {
            unreachable!()
        }

        async fn delete(&self, _: &str, _: &str) -> Result<bool, StoreError> {
            unreachable!()
        }

        async fn rotate(&self) -> Result<u64, StoreError> {
            self.after.lock().unwrap().push(self.start.elapsed());
            self.answers.lock().unwrap().pop_front().unwrap_or(Ok(0))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_tried_about_once_an_hour_until_it_has_worked() {
        let answers = [
            Err(StoreError::Config("no key".into())),
            Err(StoreError::Temporary("away".into())),
            Ok(3),
            Ok(4),
        ];
        let rotated = Arc::new(Rotated {
            start: Instant::now(),
            after: Mutex::default(),
            answers: Mutex::new(answers.into()),
        });
        let day = Duration::from_secs(24 * 60 * 60);
        let running = tokio::time::timeout(day, keep_rotated(rotated.clone()));
        assert!(running.await.is_ok(), "it ends");
        let after = rotated.after.lock().unwrap();
        assert!(after[0] >= INTERVAL / 2, "workers are still being started anew: {after:?}");
        assert_eq!(after.len(), 3, "{after:?}");
    }
}
