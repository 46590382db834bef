use async_trait::async_trait;
use tokio::sync::watch;

use super::{Embedded, catalog_rows};
use crate::{
    catalog::{Stored, Written, check_entry, check_key, check_query, decide},
    error::StoreError,
    ledger::{from_millis, millis_now},
    port::{Catalog, Entry, EntryKey, HistoricEntry, Page, Put, Query, Snapshot},
};

#[async_trait]
impl Catalog for Embedded {
    async fn put(&self, entry: Entry) -> Result<Put, StoreError> {
        let written = Written::new(&entry, check_entry(&entry)?);
        let failed = self.writer.errors();
        let put = self.writer.write(move |transaction| {
            let change = || {
                let current = catalog_rows::current(transaction, &entry.key)?;
                let last = catalog_rows::last_version(transaction, &entry.key)?;
                let put = decide(&entry, current, last);
                catalog_rows::put(transaction, &entry.key, put, &written, millis_now())?;
                Ok(put)
            };
            change().map_err(failed)
        });
        let put = put.await?;
        self.changed.notify_one();
        Ok(put)
    }

    async fn get(&self, key: &EntryKey, version: Option<u32>) -> Result<Option<Entry>, StoreError> {
        check_key(key)?;
        let key = key.clone();
        let found = self.readers.read(move |connection| {
            if version.is_none() {
                return catalog_rows::current(connection, &key);
            }
            let found = catalog_rows::history(connection, &key, version)?;
            Ok(found.into_iter().next().map(|(stored, _)| stored))
        });
        found.await?.map(Stored::entry).transpose()
    }

    async fn delete(&self, key: &EntryKey) -> Result<bool, StoreError> {
        check_key(key)?;
        let (key, failed) = (key.clone(), self.writer.errors());
        let deleted = self.writer.write(move |transaction| {
            catalog_rows::delete(transaction, &key, millis_now()).map_err(failed)
        });
        let deleted = deleted.await?;
        self.changed.notify_one();
        Ok(deleted)
    }

    async fn find(&self, query: &Query) -> Result<Page, StoreError> {
        check_query(query)?;
        let query = query.clone();
        let found = self.readers.read(move |connection| catalog_rows::find(connection, &query));
        let (found, total) = found.await?;
        let entries = found.into_iter().map(Stored::entry).collect::<Result<_, _>>()?;
        Ok(Page { entries, total: u64::try_from(total).unwrap_or(0) })
    }

    async fn history(&self, key: &EntryKey) -> Result<Vec<HistoricEntry>, StoreError> {
        check_key(key)?;
        let key = key.clone();
        let found =
            self.readers.read(move |connection| catalog_rows::history(connection, &key, None));
        let historic = |(stored, deleted): (Stored, Option<i64>)| {
            Ok(HistoricEntry { entry: stored.entry()?, deleted_at: deleted.map(from_millis) })
        };
        found.await?.into_iter().map(historic).collect()
    }

    async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let (revision, found) = self.readers.read(catalog_rows::all).await?;
        Ok(Snapshot::of(revision, found))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.revisions.catalog()
    }
}
