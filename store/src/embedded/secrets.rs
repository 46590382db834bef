//! All statements of the secrets.

use actionfleet_proto::Timestamp;
use async_trait::async_trait;
use rusqlite::{Row as SqlRow, Transaction, params};
use tokio::sync::watch;

use super::{Embedded, catalog_rows::bump};
use crate::{
    error::StoreError,
    ledger::{from_millis, millis, millis_now},
    port::SecretInfo,
    secrets::{SealedRow, SecretRows},
};

impl Embedded {
    async fn change<T: Send + 'static>(
        &self,
        statements: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let failed = self.writer.errors();
        let changed = self.writer.write(move |it| statements(it).map_err(failed)).await?;
        self.changed.notify_one();
        Ok(changed)
    }
}

#[async_trait]
impl SecretRows for Embedded {
    async fn load(&self, tenants: &[&str], name: &str) -> Result<Vec<SealedRow>, StoreError> {
        let tenants: Vec<String> = tenants.iter().map(|&tenant| tenant.to_owned()).collect();
        let name = name.to_owned();
        let query = move |connection: &rusqlite::Connection| {
            let text = "select tenant, name, key_id, envelope from secrets \
                        where tenant = ?1 and name = ?2";
            let mut statement = connection.prepare_cached(text)?;
            let mut found = Vec::new();
            for tenant in &tenants {
                for row in statement.query_map(params![tenant, name], read)? {
                    found.push(row?);
                }
            }
            Ok(found)
        };
        self.readers.read(query).await
    }

    async fn save(&self, row: SealedRow) -> Result<(), StoreError> {
        let statements = move |transaction: &Transaction<'_>| {
            let text = "insert into secrets (tenant, name, key_id, envelope, created_at, updated_at) \
                 values (?1, ?2, ?3, ?4, ?5, ?5) on conflict (tenant, name) do update set \
                 key_id = ?3, envelope = ?4, updated_at = ?5";
            let SealedRow { tenant, name, key_id, envelope } = row;
            transaction.execute(text, params![tenant, name, key_id, envelope, millis_now()])?;
            bump(transaction, "secrets")
        };
        self.change(statements).await
    }

    async fn remove(&self, tenant: &str, name: &str) -> Result<bool, StoreError> {
        let (tenant, name) = (tenant.to_owned(), name.to_owned());
        let statements = move |transaction: &Transaction<'_>| {
            let text = "delete from secrets where tenant = ?1 and name = ?2";
            let removed = transaction.execute(text, params![tenant, name])?;
            bump(transaction, "secrets")?;
            Ok(removed > 0)
        };
        self.change(statements).await
    }

    async fn names(&self, tenant: &str) -> Result<Vec<SecretInfo>, StoreError> {
        let tenant = tenant.to_owned();
        let query = move |connection: &rusqlite::Connection| {
            let text = "select name, created_at, updated_at, used_at, key_id from secrets \
                        where tenant = ?1 order by name";
            let mut statement = connection.prepare_cached(text)?;
            let info = |row: &SqlRow<'_>| {
                Ok(SecretInfo {
                    name: row.get(0)?,
                    created_at: from_millis(row.get(1)?),
                    updated_at: from_millis(row.get(2)?),
                    used_at: row.get::<_, Option<i64>>(3)?.map(from_millis),
                    key_id: row.get(4)?,
                })
            };
            statement.query_map([tenant], info)?.collect()
        };
        self.readers.read(query).await
    }

    async fn stale(
        &self,
        key_id: &str,
        after: Option<(String, String)>,
        limit: u32,
    ) -> Result<Vec<SealedRow>, StoreError> {
        let key_id = key_id.to_owned();
        let (tenant, name) = after.unwrap_or_default();
        let query = move |connection: &rusqlite::Connection| {
            let text = "select tenant, name, key_id, envelope from secrets where key_id <> ?1 \
                        and (tenant, name) > (?2, ?3) order by tenant, name limit ?4";
            let mut statement = connection.prepare_cached(text)?;
            statement.query_map(params![key_id, tenant, name, limit], read)?.collect()
        };
        self.readers.read(query).await
    }

    async fn swap(&self, rows: Vec<(SealedRow, SealedRow)>) -> Result<u64, StoreError> {
        let statements = move |transaction: &Transaction<'_>| {
            let text = "update secrets set key_id = ?4, envelope = ?5 \
                        where tenant = ?1 and name = ?2 and envelope = ?3";
            let mut statement = transaction.prepare_cached(text)?;
            let mut swapped = 0_u64;
            for (old, new) in &rows {
                let values = params![old.tenant, old.name, old.envelope, new.key_id, new.envelope];
                let changed = statement.execute(values)?;
                swapped = swapped.saturating_add(u64::try_from(changed).unwrap_or(0));
            }
            Ok(swapped)
        };
        self.change(statements).await
    }

    async fn touch(&self, used: Vec<(String, String, Timestamp)>) -> Result<(), StoreError> {
        let statements = move |transaction: &Transaction<'_>| {
            let text = "update secrets set used_at = max(coalesce(used_at, 0), ?3) \
                        where tenant = ?1 and name = ?2";
            let mut statement = transaction.prepare_cached(text)?;
            for (tenant, name, at) in &used {
                statement.execute(params![tenant, name, millis(*at)])?;
            }
            Ok(())
        };
        self.change(statements).await
    }

    fn revision(&self) -> watch::Receiver<u64> {
        self.revisions.secrets()
    }
}

fn read(row: &SqlRow<'_>) -> rusqlite::Result<SealedRow> {
    Ok(SealedRow {
        tenant: row.get(0)?,
        name: row.get(1)?,
        key_id: row.get(2)?,
        envelope: row.get(3)?,
    })
}
