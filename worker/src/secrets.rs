//! Secrets by name. Definitions and jobs name them and never contain them.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use actionfleet_proto::Code;
use secrecy::SecretString;
use tokio::time::Instant;

use crate::handler::HandlerError;

/// Where secrets come from.
pub trait Secrets: fmt::Debug + Send + Sync + 'static {
    /// `missing_secret` where there is none of that name.
    fn get(&self, name: &str) -> Result<SecretString, HandlerError>;
}

/// Whether a name can be that of a secret: `A-Z`, then `A-Z 0-9 _`, as environment variables are.
pub fn is_secret_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

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

fn missing(message: String) -> HandlerError {
    HandlerError::of(Code::MissingSecret, message)
}

impl Secrets for EnvSecrets {
    fn get(&self, name: &str) -> Result<SecretString, HandlerError> {
        if !is_secret_name(name) {
            let rule = "a secret's name has A-Z, 0-9 and _, and starts with a letter";
            return Err(missing(format!("{name:?} is not the name of a secret: {rule}")));
        }
        (self.variable)(name).map_or_else(|| self.file(name), |value| Ok(value.into()))
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

#[cfg(test)]
#[path = "secrets_tests.rs"]
mod tests;
