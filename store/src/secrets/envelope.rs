//! How a value is kept: version (1 byte), length of the key id (1), key id, nonce (12), ciphertext
//! with its tag (16), by AES-256-GCM-SIV. Tenant and name are authenticated with it, so that an
//! envelope that was moved to another row does not open.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use secrecy::{ExposeSecret as _, SecretString};
use zeroize::Zeroizing;

use super::keys::KeyRing;
use crate::error::StoreError;

const VERSION: u8 = 1;

/// Encrypts with the current key.
pub(super) fn seal(
    keys: &KeyRing,
    tenant: &str,
    name: &str,
    value: &SecretString,
) -> Result<Vec<u8>, StoreError> {
    let id = keys.current();
    let failed = |_| StoreError::Failed(format!("the secret {name} cannot be encrypted"));
    let key = keys.key(id).ok_or_else(|| sealed(tenant, name, id, MISSING))?;
    let key = RandomizedNonceKey::new(&AES_256_GCM_SIV, key).map_err(failed)?;
    // room for the tag, so that no copy of the value is left behind by growing
    let mut text = Zeroizing::new(Vec::with_capacity(value.expose_secret().len() + 16));
    text.extend_from_slice(value.expose_secret().as_bytes());
    let nonce = key
        .seal_in_place_append_tag(Aad::from(bound_to(tenant, name)), &mut *text)
        .map_err(failed)?;
    let length = u8::try_from(id.len()).unwrap_or(u8::MAX);
    let mut envelope = vec![VERSION, length];
    envelope.extend_from_slice(id.as_bytes());
    envelope.extend_from_slice(nonce.as_ref());
    envelope.extend_from_slice(&text);
    Ok(envelope)
}

pub(super) fn open(
    keys: &KeyRing,
    tenant: &str,
    name: &str,
    envelope: &[u8],
) -> Result<SecretString, StoreError> {
    let broken = || sealed(tenant, name, "unknown", "cannot be told: the envelope is damaged");
    let (head, rest) = envelope.split_first_chunk::<2>().ok_or_else(broken)?;
    let [version, length] = *head;
    if version != VERSION {
        return Err(sealed(tenant, name, "unknown", "a newer version of this program wrote"));
    }
    let (id, rest) = rest.split_at_checked(length.into()).ok_or_else(broken)?;
    let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(broken)?;
    let id = std::str::from_utf8(id).map_err(|_| broken())?;
    let key = keys.key(id).ok_or_else(|| sealed(tenant, name, id, MISSING))?;
    let refused = |_| sealed(tenant, name, id, "does not open it: the key or the row was changed");
    let key = RandomizedNonceKey::new(&AES_256_GCM_SIV, key).map_err(refused)?;
    let mut text = Zeroizing::new(text.to_vec());
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let value =
        key.open_in_place(nonce, Aad::from(bound_to(tenant, name)), &mut text).map_err(refused)?;
    let value = std::str::from_utf8(value).map_err(|_| broken())?;
    Ok(SecretString::from(value))
}

const MISSING: &str = "is not configured; add it to the secret keys, behind the current one";

fn sealed(tenant: &str, name: &str, key: &str, problem: &str) -> StoreError {
    let [tenant, name, key, problem] = [tenant, name, key, problem].map(str::to_owned);
    StoreError::Sealed { tenant, name, key, problem }
}

/// With the tenant's length before it, or ("a", "bc") would be ("ab", "c").
fn bound_to(tenant: &str, name: &str) -> Vec<u8> {
    let length = u64::try_from(tenant.len()).unwrap_or(u64::MAX).to_be_bytes();
    [&length, tenant.as_bytes(), name.as_bytes()].concat()
}
