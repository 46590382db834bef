//! Secrets of the process's environment.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use secrecy::SecretString;
use tokio::time::Instant;

use super::{SecretValues, Secrets, check_name, missing};
use crate::handler::HandlerError;

type Variable = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The environment variable `NAME`, else the file that `NAME_FILE` names, without its last line
/// break. A file is read again after ten seconds, so that a rotated secret takes effect.
pub struct EnvSecrets {
    variable: Variable,
    files: Mutex<HashMap<String, (Instant, SecretString)>>,
}

impl EnvSecrets {
    const FILE_AGE: Duration = Duration::from_secs(10);

    pub fn new() -> Self {
        Self::reading(|name| std::env::var(name).ok())
    }

    /// Reads another environment than that of the process.
    pub fn reading(variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { variable: Box::new(variable), files: Mutex::default() }
    }

    fn file(&self, name: &str) -> Result<SecretString, HandlerError> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read, secret)) = files.get(name)
            && read.elapsed() < Self::FILE_AGE
        {
            return Ok(secret.clone());
        }
        let variable = format!("{name}_FILE");
        let path = (self.variable)(&variable)
            .ok_or_else(|| missing(format!("the secret {name} is not set")))?;
        // a small local file, once in ten seconds
        let text = std::fs::read_to_string(path).map_err(|error| {
            missing(format!("the secret {name}: cannot read the file of {variable}: {error}"))
        })?;
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let secret = SecretString::from(text.strip_suffix('\r').unwrap_or(text));
        files.insert(name.to_owned(), (Instant::now(), secret.clone()));
        Ok(secret)
    }
}

impl SecretValues for EnvSecrets {
    fn get(&self, name: &str) -> Result<SecretString, HandlerError> {
        check_name(name)?;
        (self.variable)(name).map_or_else(|| self.file(name), |value| Ok(value.into()))
    }
}

/// The same ones for all tenants.
#[async_trait]
impl Secrets for EnvSecrets {
    async fn get(&self, _tenant: &str, name: &str) -> Result<SecretString, HandlerError> {
        SecretValues::get(self, name)
    }
}

impl Default for EnvSecrets {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for EnvSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvSecrets")
    }
}
