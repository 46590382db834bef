//! Secrets without a database: keys, envelopes, and the port over whatever keeps the envelopes.

mod envelope;
mod keys;
mod rows;
#[cfg(test)]
mod tests;
mod used;
mod vault;

pub use keys::KeyRing;
pub(crate) use rows::{SealedRow, SecretRows};
pub(crate) use vault::Vault;
