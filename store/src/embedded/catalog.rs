use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::watch;

use super::{Embedded, catalog_rows};
use crate::{
    catalog::{Stored, Written, check_key, check_query, check_writes, decide},
    error::StoreError,
    ledger::{from_millis, millis_now},
    port::{Catalog, Changed, Done, Entry, EntryKey, HistoricEntry, Page, Query, Snapshot, Write},
};

#[async_trait]
impl Catalog for Embedded {
    async fn change(&self, writes: Vec<Write>, at: Option<u64>) -> Result<Changed, StoreError> {
        let documents = check_writes(&writes)?;
        let failed = self.writer.errors();
        let changed = self.writer.write(move |transaction| {
            let change = || {
                let (revision, _) = catalog_rows::revisions(transaction)?;
                if at.is_some_and(|at| i64::try_from(at) != Ok(revision)) {
                    return Ok(Changed::Overtaken);
                }
                let now = millis_now();
                let pairs = writes.iter().zip(documents);
                let done = pairs.map(|(write, document)| one(transaction, write, document, now));
                let done: Vec<Done> = done.collect::<rusqlite::Result<_>>()?;
                if done.iter().any(Done::is_change) {
                    catalog_rows::bump(transaction, "catalog")?;
                }
                Ok(Changed::Done(done))
            };
            change().map_err(failed)
        });
        let changed = changed.await?;
        self.changed.notify_one();
        Ok(changed)
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

fn one(
    transaction: &Connection,
    write: &Write,
    document: Option<String>,
    now: i64,
) -> rusqlite::Result<Done> {
    let entry = match write {
        Write::Delete(key) => {
            return catalog_rows::delete(transaction, key, now).map(Done::Deleted);
        }
        Write::Put(entry) => entry,
    };
    let current = catalog_rows::current(transaction, &entry.key)?;
    let last = catalog_rows::last_version(transaction, &entry.key)?;
    let put = decide(entry, current, last);
    let written = Written::new(entry, document.unwrap_or_default());
    catalog_rows::put(transaction, &entry.key, put, &written, now)?;
    Ok(Done::Put(put))
}
