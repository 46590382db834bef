use std::{collections::BTreeMap, fmt, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use zeroize::Zeroizing;

use crate::error::StoreError;

const KEY_ID_MAX: usize = 64;

/// The keys that secrets are encrypted with: one for what is written now, others to read what was
/// written before.
#[derive(Clone)]
pub struct KeyRing {
    current: String,
    keys: BTreeMap<String, Key>,
}

type Key = std::sync::Arc<SecretBox<[u8; 32]>>;

impl KeyRing {
    /// From a text of `ID:KEY`, one a line or separated by commas; the first is the current one.
    /// A key is 32 bytes as 64 hexadecimal digits or in Base64; an id is 1 to 64 of
    /// `A-Z a-z 0-9 _ -`.
    pub fn parse(text: &SecretString) -> Result<Self, StoreError> {
        let (mut current, mut keys) = (None, BTreeMap::new());
        let lines = text.expose_secret().split(['\n', ',']).map(str::trim);
        for (number, line) in lines.filter(|line| !line.is_empty()).enumerate() {
            // of a key that does not read, nothing is said but its place
            let problem = |what: &str| {
                StoreError::Config(format!(
                    "key {} of the secret keys {what}; write ID:KEY, the key as 64 hexadecimal \
                     digits or 32 bytes in Base64, as made by `openssl rand -hex 32`",
                    number + 1
                ))
            };
            let (id, key) = line.split_once(':').ok_or_else(|| problem("has no id"))?;
            let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
            if id.is_empty() || id.len() > KEY_ID_MAX || !id.bytes().all(fits) {
                return Err(problem("has an id that is not 1 to 64 characters of A-Z a-z 0-9 _ -"));
            }
            let key = decode(key.trim()).ok_or_else(|| problem("is not 32 bytes long"))?;
            if keys.insert(id.to_owned(), key).is_some() {
                return Err(problem("has an id that another one has, too"));
            }
            current.get_or_insert_with(|| id.to_owned());
        }
        let current = current.ok_or_else(|| {
            StoreError::Config("the secret keys are empty; write one as ID:KEY".to_owned())
        })?;
        Ok(Self { current, keys })
    }

    /// From a file, as [`parse`](Self::parse) reads it.
    pub fn read(file: &Path) -> Result<Self, StoreError> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            let file = file.display();
            StoreError::Config(format!("the secret keys cannot be read from {file}: {error}"))
        })?;
        Self::parse(&SecretString::from(text))
    }

    /// What new values are encrypted with.
    pub fn current(&self) -> &str {
        &self.current
    }

    pub(super) fn key(&self, id: &str) -> Option<&[u8; 32]> {
        self.keys.get(id).map(|key| key.expose_secret())
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.keys.keys().collect();
        f.debug_struct("KeyRing").field("current", &self.current).field("ids", &ids).finish()
    }
}

fn decode(text: &str) -> Option<Key> {
    let bytes = if text.len() == 64 {
        let digits = text.as_bytes().chunks_exact(2).map(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(pair, 16).ok().filter(|_| !pair.starts_with('+'))
        });
        digits.collect::<Option<Vec<u8>>>()?
    } else {
        STANDARD.decode(text).ok()?
    };
    let bytes = Zeroizing::new(bytes);
    let key: [u8; 32] = bytes.as_slice().try_into().ok()?;
    Some(std::sync::Arc::new(SecretBox::new(Box::new(key))))
}
