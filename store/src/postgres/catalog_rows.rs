//! All statements of the catalog.

use deadpool_postgres::Object;
use tokio_postgres::{Client, Error, Row as SqlRow};

use super::ledger_rows::timestamp;
use crate::{
    catalog::{Stored, Written},
    port::{EntryKey, Put},
};

pub(super) const COLUMNS: &str = "tenant, kind, identifier, version, enabled, of_type, texts, \
     document, created_at, updated_at";

/// Begins a change: whoever comes next waits for this one's end.
pub(super) async fn begin(client: &Object, name: &str) -> Result<(), Error> {
    client.batch_execute("begin").await?;
    let lock = "select revision from revisions where name = $1 for update";
    client.execute(&client.prepare_cached(lock).await?, &[&name]).await.map(drop)
}

/// Ends a change and tells of it.
pub(super) async fn commit(client: &Object, name: &str) -> Result<(), Error> {
    let bump = "update revisions set revision = revision + 1 where name = $1";
    client.execute(&client.prepare_cached(bump).await?, &[&name]).await?;
    client.batch_execute(&format!("notify actionfleet_{name}; commit")).await
}

pub(super) async fn current(client: &Object, key: &EntryKey) -> Result<Option<Stored>, Error> {
    let text = format!(
        "select {COLUMNS} from catalog where tenant = $1 and kind = $2 and identifier = $3"
    );
    let found = client
        .query_opt(&client.prepare_cached(&text).await?, &[&key.tenant, &key.kind, &key.identifier])
        .await?;
    Ok(found.as_ref().map(read))
}

/// Newest first: of all versions, or of the given one.
pub(super) async fn history(
    client: &Object,
    key: &EntryKey,
    version: Option<u32>,
) -> Result<Vec<SqlRow>, Error> {
    let text = format!(
        "select {COLUMNS}, deleted_at from catalog_history where tenant = $1 and kind = $2 \
         and identifier = $3 and ($4::bigint is null or version = $4) order by version desc"
    );
    let version = version.map(i64::from);
    client
        .query(
            &client.prepare_cached(&text).await?,
            &[&key.tenant, &key.kind, &key.identifier, &version],
        )
        .await
}

pub(super) async fn last_version(client: &Object, key: &EntryKey) -> Result<Option<i64>, Error> {
    let text = "select max(version) from catalog_history where tenant = $1 and kind = $2 \
                and identifier = $3";
    let found = client
        .query_one(&client.prepare_cached(text).await?, &[&key.tenant, &key.kind, &key.identifier])
        .await?;
    Ok(found.get(0))
}

pub(super) async fn put(
    client: &Object,
    key: &EntryKey,
    put: Put,
    written: &Written,
) -> Result<(), Error> {
    let Written { enabled, of_type, texts, document, folded } = written;
    let EntryKey { tenant, kind, identifier } = key;
    let version = i64::from(put.version);
    // to the millisecond, as all times are kept
    let upsert = "insert into catalog as e (tenant, kind, identifier, version, enabled, of_type, \
         texts, document, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, \
         date_trunc('milliseconds', now()), date_trunc('milliseconds', now())) \
         on conflict (tenant, kind, identifier) do update set version = excluded.version, \
         enabled = excluded.enabled, of_type = excluded.of_type, texts = excluded.texts, \
         document = excluded.document, updated_at = excluded.updated_at returning id";
    let id: i64 = client
        .query_one(
            &client.prepare_cached(upsert).await?,
            &[tenant, kind, identifier, &version, enabled, of_type, texts, document],
        )
        .await?
        .get(0);
    client
        .execute(
            &client.prepare_cached("delete from catalog_names where entry_id = $1").await?,
            &[&id],
        )
        .await?;
    let (languages, names): (Vec<&String>, Vec<&String>) =
        folded.iter().map(|(language, name)| (language, name)).unzip();
    let insert = "insert into catalog_names (entry_id, language, folded) \
         select $1, u.language, u.folded from unnest($2::text[], $3::text[]) as u(language, folded)";
    client.execute(&client.prepare_cached(insert).await?, &[&id, &languages, &names]).await?;
    let remember = format!(
        "insert into catalog_history ({COLUMNS}) select {COLUMNS} from catalog where id = $1"
    );
    client.execute(&client.prepare_cached(&remember).await?, &[&id]).await.map(drop)
}

/// Whether there was one.
pub(super) async fn delete(client: &Object, key: &EntryKey) -> Result<bool, Error> {
    let EntryKey { tenant, kind, identifier } = key;
    let text = "delete from catalog where tenant = $1 and kind = $2 and identifier = $3 \
                returning version";
    let Some(deleted) =
        client.query_opt(&client.prepare_cached(text).await?, &[tenant, kind, identifier]).await?
    else {
        return Ok(false);
    };
    let text = "update catalog_history set deleted_at = date_trunc('milliseconds', now()) \
                where tenant = $1 and kind = $2 and identifier = $3 and version = $4";
    let version: i64 = deleted.get(0);
    client
        .execute(&client.prepare_cached(text).await?, &[tenant, kind, identifier, &version])
        .await?;
    Ok(true)
}

/// All entries with the revision that they are of; without entries one row without a tenant.
pub(super) const ALL: &str = "select r.revision, e.* from revisions r left join catalog e on true \
     where r.name = 'catalog' order by e.tenant, e.kind, e.identifier";

/// Of the catalog and of the secrets.
pub(super) async fn revisions(client: &Client) -> Result<(i64, i64), Error> {
    let text = "select (select revision from revisions where name = 'catalog'), \
                (select revision from revisions where name = 'secrets')";
    let found = client.query_one(text, &[]).await?;
    Ok((found.get(0), found.get(1)))
}

pub(super) fn read(row: &SqlRow) -> Stored {
    Stored {
        key: EntryKey::new(
            row.get::<_, String>("tenant"),
            row.get::<_, String>("kind"),
            row.get::<_, String>("identifier"),
        ),
        version: row.get("version"),
        enabled: row.get("enabled"),
        of_type: row.get("of_type"),
        texts: row.get("texts"),
        document: row.get("document"),
        created_at: timestamp(row.get("created_at")),
        updated_at: timestamp(row.get("updated_at")),
    }
}
