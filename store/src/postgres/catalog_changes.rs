//! Changes of the catalog: as many as there are, by the same few statements.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Object;
use tokio_postgres::{Error, Row as SqlRow, types::ToSql};

use super::catalog_rows::{self, COLUMNS};
use crate::{
    catalog::{Stored, Written, decide},
    port::{Done, Entry, EntryKey, PutOutcome, Write},
};

/// Entries by their keys, which are bound as three lists.
const KEYS: &str = "unnest($1::text[], $2::text[], $3::text[]) as k(tenant, kind, identifier)";

/// Within a transaction that holds the revision.
pub(super) async fn make(
    client: &Object,
    writes: &[Write],
    documents: Vec<Option<String>>,
) -> Result<Vec<Done>, Error> {
    let entries = writes.iter().zip(documents).filter_map(|(write, document)| match write {
        Write::Put(entry) => Some((entry, document.unwrap_or_default())),
        Write::Delete(_) => None,
    });
    let entries: Vec<(&Entry, String)> = entries.collect();
    let keys = Keys::of(entries.iter().map(|(entry, _)| &entry.key));
    let mut current = current(client, &keys).await?;
    let last = last_versions(client, &keys).await?;
    let (mut puts, mut rows) = (HashMap::new(), Vec::new());
    for (entry, document) in entries {
        let put = decide(entry, current.remove(&entry.key), last.get(&entry.key).copied());
        puts.insert(&entry.key, put);
        if put.outcome != PutOutcome::Unchanged {
            rows.push((&entry.key, i64::from(put.version), Written::new(entry, document)));
        }
    }
    put(client, &rows).await?;
    let unwanted = writes.iter().filter(|write| matches!(write, Write::Delete(_)));
    let deleted = delete(client, &Keys::of(unwanted.map(Write::key))).await?;
    let done = writes.iter().map(|write| match puts.get(write.key()) {
        Some(put) => Done::Put(*put),
        None => Done::Deleted(deleted.contains(write.key())),
    });
    Ok(done.collect())
}

#[derive(Default)]
struct Keys<'a> {
    tenants: Vec<&'a str>,
    kinds: Vec<&'a str>,
    identifiers: Vec<&'a str>,
}

impl<'a> Keys<'a> {
    fn of(keys: impl Iterator<Item = &'a EntryKey>) -> Self {
        let mut all = Self::default();
        for EntryKey { tenant, kind, identifier } in keys {
            all.tenants.push(tenant);
            all.kinds.push(kind);
            all.identifiers.push(identifier);
        }
        all
    }

    fn is_empty(&self) -> bool {
        self.tenants.is_empty()
    }

    fn bound(&self) -> [&(dyn ToSql + Sync); 3] {
        [&self.tenants, &self.kinds, &self.identifiers]
    }
}

fn key(row: &SqlRow) -> EntryKey {
    let text = |column: &str| row.get::<_, String>(column);
    EntryKey::new(text("tenant"), text("kind"), text("identifier"))
}

async fn current(client: &Object, keys: &Keys<'_>) -> Result<HashMap<EntryKey, Stored>, Error> {
    let text =
        format!("select {COLUMNS} from catalog join {KEYS} using (tenant, kind, identifier)");
    let found = client.query(&client.prepare_cached(&text).await?, &keys.bound()).await?;
    Ok(found.iter().map(|row| (key(row), catalog_rows::read(row))).collect())
}

async fn last_versions(client: &Object, keys: &Keys<'_>) -> Result<HashMap<EntryKey, i64>, Error> {
    let text = format!(
        "select tenant, kind, identifier, max(version) as version from catalog_history \
         join {KEYS} using (tenant, kind, identifier) group by tenant, kind, identifier"
    );
    let found = client.query(&client.prepare_cached(&text).await?, &keys.bound()).await?;
    Ok(found.iter().map(|row| (key(row), row.get("version"))).collect())
}

async fn put(client: &Object, rows: &[(&EntryKey, i64, Written)]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let keys = Keys::of(rows.iter().map(|(key, _, _)| *key));
    let versions: Vec<i64> = rows.iter().map(|(_, version, _)| *version).collect();
    let written = || rows.iter().map(|(_, _, written)| written);
    let enabled: Vec<bool> = written().map(|row| row.enabled).collect();
    let types: Vec<Option<&str>> = written().map(|row| row.of_type.as_deref()).collect();
    let texts: Vec<&str> = written().map(|row| &*row.texts).collect();
    let documents: Vec<&str> = written().map(|row| &*row.document).collect();
    // to the millisecond, as all times are kept
    let upsert = "insert into catalog as e (tenant, kind, identifier, version, enabled, of_type, \
         texts, document, created_at, updated_at) \
         select u.*, date_trunc('milliseconds', now()), date_trunc('milliseconds', now()) \
         from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bool[], $6::text[], \
         $7::text[], $8::text[]) as u \
         on conflict (tenant, kind, identifier) do update set version = excluded.version, \
         enabled = excluded.enabled, of_type = excluded.of_type, texts = excluded.texts, \
         document = excluded.document, updated_at = excluded.updated_at \
         returning id, tenant, kind, identifier";
    let [tenants, kinds, identifiers] = keys.bound();
    let bound: [&(dyn ToSql + Sync); 8] =
        [tenants, kinds, identifiers, &versions, &enabled, &types, &texts, &documents];
    let found = client.query(&client.prepare_cached(upsert).await?, &bound).await?;
    let ids: HashMap<EntryKey, i64> = found.iter().map(|row| (key(row), row.get("id"))).collect();
    name(client, rows, &ids).await?;
    let remember = format!(
        "insert into catalog_history ({COLUMNS}) select {COLUMNS} from catalog where id = any($1)"
    );
    let ids: Vec<i64> = ids.into_values().collect();
    client.execute(&client.prepare_cached(&remember).await?, &[&ids]).await.map(drop)
}

async fn name(
    client: &Object,
    rows: &[(&EntryKey, i64, Written)],
    ids: &HashMap<EntryKey, i64>,
) -> Result<(), Error> {
    let (mut entries, mut languages, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for (key, _, written) in rows {
        let Some(id) = ids.get(*key) else { continue };
        for (language, name) in &written.folded {
            entries.push(*id);
            languages.push(&**language);
            names.push(&**name);
        }
    }
    let all: Vec<i64> = ids.values().copied().collect();
    let forget = "delete from catalog_names where entry_id = any($1)";
    client.execute(&client.prepare_cached(forget).await?, &[&all]).await?;
    let insert = "insert into catalog_names (entry_id, language, folded) \
         select u.* from unnest($1::bigint[], $2::text[], $3::text[]) as u";
    let bound: [&(dyn ToSql + Sync); 3] = [&entries, &languages, &names];
    client.execute(&client.prepare_cached(insert).await?, &bound).await.map(drop)
}

/// Yields those that were there.
async fn delete(client: &Object, keys: &Keys<'_>) -> Result<HashSet<EntryKey>, Error> {
    if keys.is_empty() {
        return Ok(HashSet::new());
    }
    let text = format!(
        "with gone as (delete from catalog e using {KEYS} where e.tenant = k.tenant \
         and e.kind = k.kind and e.identifier = k.identifier \
         returning e.tenant, e.kind, e.identifier, e.version) \
         update catalog_history h set deleted_at = date_trunc('milliseconds', now()) from gone \
         where h.tenant = gone.tenant and h.kind = gone.kind and h.identifier = gone.identifier \
         and h.version = gone.version returning h.tenant, h.kind, h.identifier"
    );
    let found = client.query(&client.prepare_cached(&text).await?, &keys.bound()).await?;
    Ok(found.iter().map(key).collect())
}
