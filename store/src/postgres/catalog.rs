use std::time::SystemTime;

use async_trait::async_trait;
use tokio::sync::watch;

use super::{
    Postgres,
    bind::bound,
    catalog_changes,
    catalog_rows::{self, COLUMNS},
    ledger_rows::timestamp,
};
use crate::{
    catalog::{Stored, check_key, check_query, check_writes, count, search},
    error::StoreError,
    port::{Catalog, Changed, Done, Entry, EntryKey, HistoricEntry, Page, Query, Snapshot, Write},
    sql::Dialect,
};

/// What is locked, and told of.
const NAME: &str = "catalog";

#[async_trait]
impl Catalog for Postgres {
    async fn change(&self, writes: Vec<Write>, at: Option<u64>) -> Result<Changed, StoreError> {
        let documents = check_writes(&writes)?;
        let session = self.pool.session().await?;
        let client = session.client()?;
        let change = async {
            let revision = catalog_rows::begin(client, NAME).await?;
            if at.is_some_and(|at| i64::try_from(at) != Ok(revision)) {
                client.batch_execute("rollback").await?;
                return Ok(Changed::Overtaken);
            }
            let done = catalog_changes::make(client, &writes, documents).await?;
            if done.iter().any(Done::is_change) {
                catalog_rows::commit(client, NAME).await?;
            } else {
                client.batch_execute("rollback").await?;
            }
            Ok(Changed::Done(done))
        };
        let changed = session.run(change).await?;
        session.done();
        Ok(changed)
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
