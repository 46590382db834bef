use std::time::SystemTime;

use async_trait::async_trait;
use tokio::sync::watch;

use super::{
    Postgres,
    bind::bound,
    catalog_rows::{self, COLUMNS},
    ledger_rows::timestamp,
};
use crate::{
    catalog::{Stored, Written, check_entry, check_key, check_query, count, decide, search},
    error::StoreError,
    port::{Catalog, Entry, EntryKey, HistoricEntry, Page, Put, PutOutcome, Query, Snapshot},
    sql::Dialect,
};

/// What is locked, and told of.
const NAME: &str = "catalog";

#[async_trait]
impl Catalog for Postgres {
    async fn put(&self, entry: Entry) -> Result<Put, StoreError> {
        let written = Written::new(&entry, check_entry(&entry)?);
        let session = self.pool.session().await?;
        let client = session.client()?;
        let change = async {
            catalog_rows::begin(client, NAME).await?;
            let current = catalog_rows::current(client, &entry.key).await?;
            let last = catalog_rows::last_version(client, &entry.key).await?;
            let put = decide(&entry, current, last);
            if put.outcome == PutOutcome::Unchanged {
                client.batch_execute("rollback").await?;
            } else {
                catalog_rows::put(client, &entry.key, put, &written).await?;
                catalog_rows::commit(client, NAME).await?;
            }
            Ok(put)
        };
        let put = session.run(change).await?;
        session.done();
        Ok(put)
    }

    async fn get(&self, key: &EntryKey, version: Option<u32>) -> Result<Option<Entry>, StoreError> {
        check_key(key)?;
        let session = self.pool.session().await?;
        let client = session.client()?;
        let found = if version.is_none() {
            session.run(catalog_rows::current(client, key)).await?
        } else {
            let found = session.run(catalog_rows::history(client, key, version)).await?;
            found.first().map(catalog_rows::read)
        };
        session.done();
        found.map(Stored::entry).transpose()
    }

    async fn delete(&self, key: &EntryKey) -> Result<bool, StoreError> {
        check_key(key)?;
        let session = self.pool.session().await?;
        let client = session.client()?;
        let change = async {
            catalog_rows::begin(client, NAME).await?;
            let deleted = catalog_rows::delete(client, key).await?;
            if deleted {
                catalog_rows::commit(client, NAME).await?;
            } else {
                client.batch_execute("rollback").await?;
            }
            Ok(deleted)
        };
        let deleted = session.run(change).await?;
        session.done();
        Ok(deleted)
    }

    async fn find(&self, query: &Query) -> Result<Page, StoreError> {
        check_query(query)?;
        let (total, page) =
            (count(Dialect::Postgres, query), search(Dialect::Postgres, COLUMNS, query));
        let session = self.pool.session().await?;
        let client = session.client()?;
        let total = session.run(client.query_one(total.text(), &bound(&total))).await?;
        let found = session.run(client.query(page.text(), &bound(&page))).await?;
        session.done();
        let entries = found.iter().map(|row| catalog_rows::read(row).entry());
        Ok(Page {
            entries: entries.collect::<Result<_, _>>()?,
            total: u64::try_from(total.get::<_, i64>(0)).unwrap_or(0),
        })
    }

    async fn history(&self, key: &EntryKey) -> Result<Vec<HistoricEntry>, StoreError> {
        check_key(key)?;
        let session = self.pool.session().await?;
        let found = session.run(catalog_rows::history(session.client()?, key, None)).await?;
        session.done();
        let historic = |row: &tokio_postgres::Row| {
            let deleted: Option<SystemTime> = row.get("deleted_at");
            let entry = catalog_rows::read(row).entry()?;
            Ok(HistoricEntry { entry, deleted_at: deleted.map(timestamp) })
        };
        found.iter().map(historic).collect()
    }

    async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let session = self.pool.session().await?;
        let found = session.run(session.client()?.query(catalog_rows::ALL, &[])).await?;
        session.done();
        let revision = found.first().map_or(0, |row| row.get("revision"));
        let has_entry = |row: &&tokio_postgres::Row| row.get::<_, Option<i64>>("id").is_some();
        let entries = found.iter().filter(has_entry).map(catalog_rows::read).collect();
        Ok(Snapshot::of(revision, entries))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.revisions.catalog()
    }
}
