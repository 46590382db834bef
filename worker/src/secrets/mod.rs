//! Secrets by name. Definitions and jobs name them and never contain them.

mod environment;
mod rotation;
mod stored;

use std::{collections::HashMap, fmt};

use actionfleet_proto::Code;
use async_trait::async_trait;
use secrecy::SecretString;

pub(crate) use self::rotation::keep_rotated;
pub use self::{environment::EnvSecrets, stored::StoreSecrets};
use crate::handler::HandlerError;

/// Where secrets come from.
#[async_trait]
pub trait Secrets: fmt::Debug + Send + Sync + 'static {
    /// The tenant's own, else the one that is there for all; `missing_secret` where there is none
    /// of that name.
    async fn get(&self, tenant: &str, name: &str) -> Result<SecretString, HandlerError>;
}

/// What a template can take.
pub trait SecretValues: fmt::Debug {
    fn get(&self, name: &str) -> Result<SecretString, HandlerError>;
}

/// The secrets of one request, fetched before it is rendered.
#[derive(Debug)]
pub(crate) struct Fetched(HashMap<String, Result<SecretString, HandlerError>>);

impl Fetched {
    pub(crate) async fn new(secrets: &dyn Secrets, tenant: &str, names: &[String]) -> Self {
        let mut values = HashMap::with_capacity(names.len());
        for name in names {
            values.insert(name.clone(), secrets.get(tenant, name).await);
        }
        Self(values)
    }
}

impl SecretValues for Fetched {
    fn get(&self, name: &str) -> Result<SecretString, HandlerError> {
        let unknown = || Err(missing(format!("the secret {name} is not set")));
        self.0.get(name).cloned().unwrap_or_else(unknown)
    }
}

/// Whether a name can be that of a secret: `A-Z`, then `A-Z 0-9 _`, as environment variables are.
pub fn is_secret_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

fn check_name(name: &str) -> Result<(), HandlerError> {
    if is_secret_name(name) {
        return Ok(());
    }
    let rule = "a secret's name has A-Z, 0-9 and _, and starts with a letter";
    Err(missing(format!("{name:?} is not the name of a secret: {rule}")))
}

fn missing(message: String) -> HandlerError {
    HandlerError::of(Code::MissingSecret, message)
}

#[cfg(test)]
mod tests;
