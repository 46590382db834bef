//! All statements of the catalog.

use deadpool_postgres::Object;
use tokio_postgres::{Client, Error, Row as SqlRow};

use super::ledger_rows::timestamp;
use crate::{catalog::Stored, port::EntryKey};

pub(super) const COLUMNS: &str = "tenant, kind, identifier, version, enabled, of_type, texts, \
     document, created_at, updated_at";

/// Begins a change, and yields the revision that it is of: whoever comes next waits for its end.
pub(super) async fn begin(client: &Object, name: &str) -> Result<i64, Error> {
    client.batch_execute("begin").await?;
    let lock = "select revision from revisions where name = $1 for update";
    let found = client.query_one(&client.prepare_cached(lock).await?, &[&name]).await?;
    Ok(found.get(0))
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
