//! All statements of the catalog.

use rusqlite::{Connection, OptionalExtension, Result, Row as SqlRow, params, params_from_iter};

use crate::{
    catalog::{Stored, Written, count, search},
    ledger::from_millis,
    port::{EntryKey, Put, PutOutcome, Query},
    sql::Dialect,
};

const COLUMNS: &str = "tenant, kind, identifier, version, enabled, of_type, texts, document, \
     created_at, updated_at";

pub(super) fn current(connection: &Connection, key: &EntryKey) -> Result<Option<Stored>> {
    let text = format!(
        "select {COLUMNS} from catalog where tenant = ?1 and kind = ?2 and identifier = ?3"
    );
    let mut statement = connection.prepare_cached(&text)?;
    statement.query_row(params![key.tenant, key.kind, key.identifier], read).optional()
}

/// Newest first: of all versions, or of the given one.
pub(super) fn history(
    connection: &Connection,
    key: &EntryKey,
    version: Option<u32>,
) -> Result<Vec<(Stored, Option<i64>)>> {
    let text = format!(
        "select {COLUMNS}, deleted_at from catalog_history where tenant = ?1 and kind = ?2 \
         and identifier = ?3 and (?4 is null or version = ?4) order by version desc"
    );
    let mut statement = connection.prepare_cached(&text)?;
    let key = params![key.tenant, key.kind, key.identifier, version];
    let found = statement.query_map(key, |row| Ok((read(row)?, row.get("deleted_at")?)))?;
    found.collect()
}

pub(super) fn last_version(connection: &Connection, key: &EntryKey) -> Result<Option<i64>> {
    let text = "select max(version) from catalog_history where tenant = ?1 and kind = ?2 \
                and identifier = ?3";
    let key = params![key.tenant, key.kind, key.identifier];
    connection.prepare_cached(text)?.query_row(key, |row| row.get(0))
}

pub(super) fn put(
    connection: &Connection,
    key: &EntryKey,
    put: Put,
    written: &Written,
    now: i64,
) -> Result<()> {
    if put.outcome == PutOutcome::Unchanged {
        return Ok(());
    }
    let Written { enabled, of_type, texts, document, folded } = written;
    let upsert = "insert into catalog (tenant, kind, identifier, version, enabled, of_type, texts, \
         document, created_at, updated_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9) \
         on conflict (tenant, kind, identifier) do update set version = ?4, enabled = ?5, \
         of_type = ?6, texts = ?7, document = ?8, updated_at = ?9 returning id, created_at";
    let EntryKey { tenant, kind, identifier } = key;
    let (id, created_at): (i64, i64) = connection.prepare_cached(upsert)?.query_row(
        params![tenant, kind, identifier, put.version, enabled, of_type, texts, document, now],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    connection.prepare_cached("delete from catalog_names where entry_id = ?1")?.execute([id])?;
    let insert = "insert into catalog_names (entry_id, language, folded) values (?1, ?2, ?3)";
    let mut insert = connection.prepare_cached(insert)?;
    for (language, name) in folded {
        insert.execute(params![id, language, name])?;
    }
    let remember = "insert into catalog_history (tenant, kind, identifier, version, enabled, \
         of_type, texts, document, created_at, updated_at) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    let version = put.version;
    connection.prepare_cached(remember)?.execute(params![
        tenant, kind, identifier, version, enabled, of_type, texts, document, created_at, now
    ])?;
    Ok(())
}

/// Whether there was one.
pub(super) fn delete(connection: &Connection, key: &EntryKey, now: i64) -> Result<bool> {
    let EntryKey { tenant, kind, identifier } = key;
    let text = "delete from catalog where tenant = ?1 and kind = ?2 and identifier = ?3 \
                returning version";
    let mut statement = connection.prepare_cached(text)?;
    let version: Option<i64> =
        statement.query_row(params![tenant, kind, identifier], |row| row.get(0)).optional()?;
    let Some(version) = version else { return Ok(false) };
    let text = "update catalog_history set deleted_at = ?5 where tenant = ?1 and kind = ?2 \
                and identifier = ?3 and version = ?4";
    let mut statement = connection.prepare_cached(text)?;
    statement.execute(params![tenant, kind, identifier, version, now])?;
    Ok(true)
}

pub(super) fn find(connection: &Connection, query: &Query) -> Result<(Vec<Stored>, i64)> {
    let total = count(Dialect::Sqlite, query);
    let values = params_from_iter(total.values());
    let total = connection.query_row(total.text(), values, |row| row.get(0))?;
    let page = search(Dialect::Sqlite, COLUMNS, query);
    let mut statement = connection.prepare(page.text())?;
    let found = statement.query_map(params_from_iter(page.values()), read)?;
    Ok((found.collect::<Result<_>>()?, total))
}

pub(super) fn all(connection: &Connection) -> Result<(i64, Vec<Stored>)> {
    // one statement after the other would see two states
    let transaction = connection.unchecked_transaction()?;
    let (revision, _) = revisions(&transaction)?;
    let text = format!("select {COLUMNS} from catalog order by tenant, kind, identifier");
    let mut statement = transaction.prepare_cached(&text)?;
    let found = statement.query_map([], read)?.collect::<Result<_>>()?;
    Ok((revision, found))
}

/// Of the catalog and of the secrets.
pub(super) fn revisions(connection: &Connection) -> Result<(i64, i64)> {
    let text = "select (select revision from revisions where name = 'catalog'), \
                (select revision from revisions where name = 'secrets')";
    connection.prepare_cached(text)?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
}

pub(super) fn bump(connection: &Connection, name: &str) -> Result<()> {
    let text = "update revisions set revision = revision + 1 where name = ?1";
    connection.prepare_cached(text)?.execute([name]).map(drop)
}

fn read(row: &SqlRow<'_>) -> Result<Stored> {
    Ok(Stored {
        key: EntryKey::new(
            row.get::<_, String>("tenant")?,
            row.get::<_, String>("kind")?,
            row.get::<_, String>("identifier")?,
        ),
        version: row.get("version")?,
        enabled: row.get("enabled")?,
        of_type: row.get("of_type")?,
        texts: row.get("texts")?,
        document: row.get("document")?,
        created_at: from_millis(row.get("created_at")?),
        updated_at: from_millis(row.get("updated_at")?),
    })
}
