//! All statements of the secrets.

use std::time::SystemTime;

use actionfleet_proto::Timestamp;
use async_trait::async_trait;
use tokio::sync::watch;
use tokio_postgres::{Row as SqlRow, types::ToSql};

use super::{
    Postgres, catalog_rows,
    ledger_rows::{moment, timestamp},
};
use crate::{
    error::StoreError,
    port::SecretInfo,
    secrets::{SealedRow, SecretRows},
};

/// What is locked, and told of.
const NAME: &str = "secrets";

#[async_trait]
impl SecretRows for Postgres {
    async fn load(&self, tenants: &[&str], name: &str) -> Result<Vec<SealedRow>, StoreError> {
        let text = "select tenant, name, key_id, envelope from secrets \
                    where tenant = any($1) and name = $2";
        let session = self.pool.session().await?;
        let found = session.run(session.client()?.query(text, &[&tenants, &name])).await?;
        session.done();
        Ok(found.iter().map(read).collect())
    }

    async fn save(&self, row: SealedRow) -> Result<(), StoreError> {
        let text = "insert into secrets (tenant, name, key_id, envelope, created_at, updated_at) \
             values ($1, $2, $3, $4, date_trunc('milliseconds', now()), \
             date_trunc('milliseconds', now())) on conflict (tenant, name) do update set \
             key_id = excluded.key_id, envelope = excluded.envelope, \
             updated_at = excluded.updated_at";
        let SealedRow { tenant, name, key_id, envelope } = &row;
        let session = self.pool.session().await?;
        let client = session.client()?;
        let change = async {
            catalog_rows::begin(client, NAME).await?;
            client.execute(text, &[tenant, name, key_id, envelope]).await?;
            catalog_rows::commit(client, NAME).await
        };
        session.run(change).await?;
        session.done();
        Ok(())
    }

    async fn remove(&self, tenant: &str, name: &str) -> Result<bool, StoreError> {
        let text = "delete from secrets where tenant = $1 and name = $2";
        let session = self.pool.session().await?;
        let client = session.client()?;
        let change = async {
            catalog_rows::begin(client, NAME).await?;
            let removed = client.execute(text, &[&tenant, &name]).await?;
            catalog_rows::commit(client, NAME).await?;
            Ok(removed > 0)
        };
        let removed = session.run(change).await?;
        session.done();
        Ok(removed)
    }

    async fn names(&self, tenant: &str) -> Result<Vec<SecretInfo>, StoreError> {
        let text = "select name, created_at, updated_at, used_at, key_id from secrets \
                    where tenant = $1 order by name";
        let session = self.pool.session().await?;
        let found = session.run(session.client()?.query(text, &[&tenant])).await?;
        session.done();
        let info = |row: &SqlRow| SecretInfo {
            name: row.get(0),
            created_at: timestamp(row.get(1)),
            updated_at: timestamp(row.get(2)),
            used_at: row.get::<_, Option<SystemTime>>(3).map(timestamp),
            key_id: row.get(4),
        };
        Ok(found.iter().map(info).collect())
    }

    async fn stale(
        &self,
        key_id: &str,
        after: Option<(String, String)>,
        limit: u32,
    ) -> Result<Vec<SealedRow>, StoreError> {
        let text = "select tenant, name, key_id, envelope from secrets where key_id <> $1 \
                    and (tenant, name) > ($2, $3) order by tenant, name limit $4";
        let (tenant, name) = after.unwrap_or_default();
        let limit = i64::from(limit);
        let session = self.pool.session().await?;
        let client = session.client()?;
        let found = session.run(client.query(text, &[&key_id, &tenant, &name, &limit])).await?;
        session.done();
        Ok(found.iter().map(read).collect())
    }

    async fn swap(&self, rows: Vec<(SealedRow, SealedRow)>) -> Result<u64, StoreError> {
        let text = "update secrets s set key_id = u.key_id, envelope = u.new \
             from unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::bytea[]) \
             as u(tenant, name, old, key_id, new) \
             where s.tenant = u.tenant and s.name = u.name and s.envelope = u.old";
        let of = |text: fn(&SealedRow) -> &String| rows.iter().map(move |(old, _)| text(old));
        let tenants: Vec<_> = of(|row| &row.tenant).collect();
        let names: Vec<_> = of(|row| &row.name).collect();
        let old: Vec<_> = rows.iter().map(|(old, _)| &*old.envelope).collect();
        let keys: Vec<_> = rows.iter().map(|(_, new)| &new.key_id).collect();
        let new: Vec<_> = rows.iter().map(|(_, new)| &*new.envelope).collect();
        let session = self.pool.session().await?;
        let client = session.client()?;
        let values: [&(dyn ToSql + Sync); 5] = [&tenants, &names, &old, &keys, &new];
        let swapped = session.run(client.execute(text, &values)).await?;
        session.done();
        Ok(swapped)
    }

    async fn touch(&self, used: Vec<(String, String, Timestamp)>) -> Result<(), StoreError> {
        let text = "update secrets s set used_at = greatest(s.used_at, u.at) \
             from unnest($1::text[], $2::text[], $3::timestamptz[]) as u(tenant, name, at) \
             where s.tenant = u.tenant and s.name = u.name";
        let tenants: Vec<_> = used.iter().map(|(tenant, _, _)| tenant).collect();
        let names: Vec<_> = used.iter().map(|(_, name, _)| name).collect();
        let moments: Vec<_> = used.iter().map(|(_, _, at)| moment(*at)).collect();
        let session = self.pool.session().await?;
        let client = session.client()?;
        session.run(client.execute(text, &[&tenants, &names, &moments])).await?;
        session.done();
        Ok(())
    }

    fn revision(&self) -> watch::Receiver<u64> {
        self.revisions.secrets()
    }
}

fn read(row: &SqlRow) -> SealedRow {
    SealedRow { tenant: row.get(0), name: row.get(1), key_id: row.get(2), envelope: row.get(3) }
}
