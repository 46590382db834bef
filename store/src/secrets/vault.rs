use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use moka::future::Cache;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::{KeyRing, SealedRow, SecretRows, envelope, used::Used};
use crate::{
    error::StoreError,
    port::{DEFAULT_TENANT, SecretInfo, Secrets},
};

/// How long a value is kept in memory at most.
const CACHED: Duration = Duration::from_secs(15 * 60);
const CACHED_MAX: u64 = 10_000;

/// How often uses are written.
const USED_WRITTEN: Duration = Duration::from_secs(60);

const NAME_MAX: usize = 128;
const VALUE_MAX: usize = 64 * 1024;
const ROTATED_AT_ONCE: u32 = 100;

/// The port over an engine's rows.
#[derive(Debug)]
pub(crate) struct Vault {
    rows: Arc<dyn SecretRows>,
    keys: Option<KeyRing>,
    cache: Cache<(String, String), Cached>,
    /// Counts own changes.
    changes: AtomicU64,
    revision: watch::Receiver<u64>,
    used: Arc<Used>,
    _writing: AbortOnDropHandle<()>,
}

/// A value holds for as long as nothing changed.
#[derive(Debug, Clone)]
struct Cached {
    /// Whose it is: the tenant's own or the default one's.
    tenant: String,
    value: SecretString,
    as_of: (u64, u64),
}

impl Vault {
    pub(crate) fn new(rows: Arc<dyn SecretRows>, keys: Option<KeyRing>) -> Self {
        let used = Arc::new(Used::default());
        let writing = tokio::spawn(write_uses(rows.clone(), used.clone()));
        Self {
            revision: rows.revision(),
            rows,
            keys,
            cache: Cache::builder().max_capacity(CACHED_MAX).time_to_live(CACHED).build(),
            changes: AtomicU64::new(0),
            used,
            _writing: AbortOnDropHandle::new(writing),
        }
    }

    fn keys(&self) -> Result<&KeyRing, StoreError> {
        self.keys.as_ref().ok_or_else(|| {
            StoreError::Config(
                "no key is configured to encrypt secrets with; configure one, as made by \
                 `openssl rand -hex 32`"
                    .to_owned(),
            )
        })
    }

    fn as_of(&self) -> (u64, u64) {
        (self.changes.load(Ordering::Acquire), *self.revision.borrow())
    }

    /// From now on nothing cached holds.
    fn changed(&self) {
        self.changes.fetch_add(1, Ordering::AcqRel);
    }

    fn reseal(&self, row: &SealedRow) -> Result<SealedRow, StoreError> {
        let keys = self.keys()?;
        let value = envelope::open(keys, &row.tenant, &row.name, &row.envelope)?;
        let envelope = envelope::seal(keys, &row.tenant, &row.name, &value)?;
        Ok(SealedRow { key_id: keys.current().to_owned(), envelope, ..row.clone() })
    }
}

#[async_trait]
impl Secrets for Vault {
    async fn set(&self, tenant: &str, name: &str, value: SecretString) -> Result<(), StoreError> {
        check(tenant, name)?;
        let length = value.expose_secret().len();
        if !(1..=VALUE_MAX).contains(&length) {
            let problem = format!("has {length} bytes; 1 to {VALUE_MAX} fit");
            return Err(StoreError::invalid("value", problem));
        }
        let keys = self.keys()?;
        let row = SealedRow {
            tenant: tenant.to_owned(),
            name: name.to_owned(),
            key_id: keys.current().to_owned(),
            envelope: envelope::seal(keys, tenant, name, &value)?,
        };
        let saved = self.rows.save(row).await;
        // also when it failed, for it may have been done
        self.changed();
        saved
    }

    async fn get(&self, tenant: &str, name: &str) -> Result<Option<SecretString>, StoreError> {
        check(tenant, name)?;
        let key = (tenant.to_owned(), name.to_owned());
        // before the look, so that a change during it is not missed
        let as_of = self.as_of();
        if let Some(cached) = self.cache.get(&key).await
            && cached.as_of == as_of
        {
            self.used.note(&cached.tenant, name);
            return Ok(Some(cached.value));
        }
        let found = self.rows.load(&[tenant, DEFAULT_TENANT], name).await?;
        let own = found.iter().find(|row| row.tenant == tenant).or_else(|| found.first());
        let Some(row) = own else { return Ok(None) };
        let value = envelope::open(self.keys()?, &row.tenant, name, &row.envelope)?;
        let cached = Cached { tenant: row.tenant.clone(), value: value.clone(), as_of };
        self.cache.insert(key, cached).await;
        self.used.note(&row.tenant, name);
        Ok(Some(value))
    }

    async fn list(&self, tenant: &str) -> Result<Vec<SecretInfo>, StoreError> {
        check(tenant, "NAME")?;
        let used = self.used.take();
        if !used.is_empty()
            && let Err(error) = self.rows.touch(used).await
        {
            tracing::debug!(%error, "the last uses of secrets are not written");
        }
        self.rows.names(tenant).await
    }

    async fn delete(&self, tenant: &str, name: &str) -> Result<bool, StoreError> {
        check(tenant, name)?;
        let removed = self.rows.remove(tenant, name).await;
        self.changed();
        removed
    }

    async fn rotate(&self) -> Result<u64, StoreError> {
        let current = self.keys()?.current();
        let (mut after, mut rotated, mut first_error) = (None, 0_u64, None);
        loop {
            let stale = self.rows.stale(current, after, ROTATED_AT_ONCE).await?;
            let Some(last) = stale.last() else { break };
            after = Some((last.tenant.clone(), last.name.clone()));
            let mut pairs = Vec::with_capacity(stale.len());
            for row in stale {
                match self.reseal(&row) {
                    Ok(new) => pairs.push((row, new)),
                    Err(error) => {
                        first_error.get_or_insert(error);
                    }
                }
            }
            rotated = rotated.saturating_add(self.rows.swap(pairs).await?);
        }
        first_error.map_or(Ok(rotated), Err)
    }
}

async fn write_uses(rows: Arc<dyn SecretRows>, used: Arc<Used>) {
    loop {
        tokio::time::sleep(USED_WRITTEN).await;
        let seen = used.take();
        if seen.is_empty() {
            continue;
        }
        if let Err(error) = rows.touch(seen).await {
            tracing::debug!(%error, "the last uses of secrets are not written");
        }
    }
}

fn check(tenant: &str, name: &str) -> Result<(), StoreError> {
    actionfleet_proto::check_identifier(tenant).map_err(|rule| {
        let shown: String = tenant.chars().take(40).collect();
        StoreError::invalid("tenant", format!("{shown:?} does not fit: {rule}"))
    })?;
    let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(fits) {
        // what was given may be the value, by mistake
        let problem = "does not fit: a secret's name has 1 to 128 characters of A-Z 0-9 _, as \
                       OPENAI_API_KEY";
        return Err(StoreError::invalid("name", problem));
    }
    Ok(())
}
