use std::time::Duration;

use secrecy::SecretString;

use crate::secrets::KeyRing;

/// Where a store is, and how it is used.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// `postgres://user:password@host/database` or `sqlite:PATH`.
    pub url: SecretString,
    /// How many connections there are at most, besides those that the engine keeps for itself.
    pub pool_size: usize,
    /// How long one statement, one connect, and the wait for a free connection may take.
    pub timeout: Duration,
    /// How often changes by other processes are looked for where nobody tells of them.
    pub poll: Duration,
    /// What secrets are encrypted with; without it there are none.
    pub keys: Option<KeyRing>,
}

impl StoreConfig {
    /// With everything else as usual.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: SecretString::from(url.into()),
            pool_size: 8,
            timeout: Duration::from_secs(10),
            poll: Duration::from_secs(1),
            keys: None,
        }
    }
}
