use std::sync::Arc;

use actionfleet_proto::Code;
use actionfleet_store::{DEFAULT_TENANT, StoreError};
use async_trait::async_trait;
use secrecy::SecretString;

use super::{EnvSecrets, SecretValues, Secrets, check_name, missing};
use crate::handler::HandlerError;

/// The store's, and where it has none of the name, the environment's.
#[derive(Debug)]
pub struct StoreSecrets {
    store: Arc<dyn actionfleet_store::Secrets>,
    environment: EnvSecrets,
}

impl StoreSecrets {
    pub fn new(store: Arc<dyn actionfleet_store::Secrets>, environment: EnvSecrets) -> Self {
        Self { store, environment }
    }
}

#[async_trait]
impl Secrets for StoreSecrets {
    async fn get(&self, tenant: &str, name: &str) -> Result<SecretString, HandlerError> {
        check_name(name)?;
        match self.store.get(tenant, name).await {
            Ok(Some(value)) => Ok(value),
            Ok(None) => SecretValues::get(&self.environment, name).map_err(|error| {
                let problem = error.message;
                let or_default = if tenant == DEFAULT_TENANT { "" } else { " or default" };
                missing(format!("{problem}, neither in the store for tenant {tenant}{or_default}"))
            }),
            // it is there, and nobody but the operator can open it
            Err(error @ (StoreError::Sealed { .. } | StoreError::Config(_))) => {
                Err(missing(error.to_string()))
            }
            Err(error) => {
                tracing::warn!(%error, name, "a secret cannot be read");
                let message = format!("the secret {name} cannot be read from the store just now");
                Err(HandlerError::retryable(Code::Internal, message))
            }
        }
    }
}
