//! Addresses of the broker and the store, which may hold passwords.

use std::path::Path;

use actionfleet_store::KeyRing;
use secrecy::SecretString;
use url::Url;

use super::setting::Setting;

/// What the URL of a queue in a folder begins with.
const EMBEDDED: &str = "embedded:";
const SQLITE: &str = "sqlite:";

/// Where the broker is and how to log in there.
#[derive(Debug, Clone)]
pub(crate) struct BrokerUrl(pub(crate) String);

impl BrokerUrl {
    /// Without the password.
    pub(crate) fn shown(&self) -> String {
        <Self as Setting>::shown(&self.0)
    }

    /// Where the queue is in a folder of this machine.
    pub(crate) fn folder(&self) -> Option<&Path> {
        self.0.strip_prefix(EMBEDDED).map(Path::new)
    }

    /// As which the fleet logs in; without one, the client takes AMQP's usual guest.
    pub(crate) fn user(&self) -> String {
        let url = Url::parse(&self.0).ok();
        let user = url.as_ref().map(Url::username).filter(|user| !user.is_empty());
        user.unwrap_or("guest").to_owned()
    }
}

impl Setting for BrokerUrl {
    const KIND: &'static str = "URL";

    fn parse(text: &str) -> Result<Self, String> {
        let expected = "amqp://user:password@host:5672/vhost, amqps://… or embedded:FOLDER";
        let wrong = |why: &str| format!("{:?} {why}; expected {expected}", shown(text));
        match text.strip_prefix(EMBEDDED) {
            Some("") => return Err(wrong("names no folder")),
            Some(_) => return Ok(Self(text.to_owned())),
            None => {}
        }
        let url = Url::parse(text).map_err(|error| wrong(&format!("is not a URL: {error}")))?;
        match url.scheme() {
            "amqp" | "amqps" if has_host(&url) => Ok(Self(text.to_owned())),
            "amqp" | "amqps" => Err(wrong("names no host")),
            _ => Err(wrong("has another scheme")),
        }
    }

    fn shown(text: &str) -> String {
        shown(text)
    }
}

/// Where the store is and how to log in there.
#[derive(Debug, Clone)]
pub(crate) struct StoreUrl(pub(crate) String);

impl StoreUrl {
    /// Without the password.
    pub(crate) fn shown(&self) -> String {
        shown(&self.0)
    }
}

impl Setting for StoreUrl {
    const KIND: &'static str = "URL";

    fn parse(text: &str) -> Result<Self, String> {
        let expected = "postgres://user:password@host:5432/database or sqlite:PATH";
        let wrong = |why: &str| format!("{:?} {why}; expected {expected}", shown(text));
        match text.strip_prefix(SQLITE) {
            Some("") => return Err(wrong("names no file")),
            Some(_) => return Ok(Self(text.to_owned())),
            None => {}
        }
        let url = Url::parse(text).map_err(|error| wrong(&format!("is not a URL: {error}")))?;
        match url.scheme() {
            "postgres" | "postgresql" if has_host(&url) => Ok(Self(text.to_owned())),
            "postgres" | "postgresql" => Err(wrong("names no host")),
            _ => Err(wrong("has another scheme")),
        }
    }

    fn shown(text: &str) -> String {
        shown(text)
    }
}

/// What secrets in the store are encrypted with; never shown.
#[derive(Debug, Clone)]
pub(crate) struct SecretKeys(pub(crate) KeyRing);

impl Setting for SecretKeys {
    const KIND: &'static str = "ID:KEY, more with commas between";

    fn parse(text: &str) -> Result<Self, String> {
        let keys = KeyRing::parse(&SecretString::from(text));
        keys.map(Self).map_err(|error| error.to_string())
    }

    fn shown(text: &str) -> String {
        if text.is_empty() { String::new() } else { "***".to_owned() }
    }
}

fn has_host(url: &Url) -> bool {
    url.host_str().is_some_and(|host| !host.is_empty())
}

fn shown(text: &str) -> String {
    match Url::parse(text) {
        Ok(mut url) if url.password().is_some() => match url.set_password(Some("***")) {
            Ok(()) => url.to_string(),
            Err(()) => "***".to_owned(),
        },
        Ok(url) if url.has_host() => text.to_owned(),
        // what does not read as such a URL may hold a password all the same
        _ if text.contains('@') => "***".to_owned(),
        _ => text.to_owned(),
    }
}
