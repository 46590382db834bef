use std::{error::Error as _, time::Duration};

use tokio_postgres::Client;

use super::{
    LOCKS, SCHEMA,
    connect::Target,
    error::{bounded, store_error},
};
use crate::error::StoreError;

mod embedded {
    refinery::embed_migrations!("migrations/postgres");
}

/// How long another process may take to change the schema.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long this one may.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// How long it may wait for a table that others use, while all others wait behind it.
const TABLES: Duration = Duration::from_secs(2);

/// The second key of the lock.
const LOCK: i32 = -2;

/// Brings the schema up to date, one process at a time.
pub(super) async fn run(target: &Target) -> Result<(), StoreError> {
    let mut client = target.client().await?;
    let first = bounded(target.timeout, is_current(&client)).await??;
    if first {
        return Ok(());
    }
    bounded(PATIENCE.saturating_add(target.timeout), lock(&client)).await??;
    // the lock goes with the connection
    if bounded(target.timeout, is_current(&client)).await?? {
        return Ok(());
    }
    // whoever works on the tables must not wait behind a change that waits for somebody else
    let brief = format!("set lock_timeout to {}", TABLES.as_millis());
    bounded(target.timeout, client.batch_execute(&brief)).await?;
    bounded(target.timeout, make_schema(&client)).await?;
    let runner = embedded::migrations::runner();
    let ran = tokio::time::timeout(LIMIT, runner.run_async(&mut client)).await;
    let ran = ran.map_err(|_| super::error::timed_out(LIMIT))?;
    ran.map(drop).map_err(|error| {
        let cause = error.source().and_then(|cause| cause.downcast_ref());
        cause.map_or_else(|| StoreError::Failed(error.to_string()), store_error)
    })
}

async fn is_current(client: &Client) -> Result<Result<bool, StoreError>, tokio_postgres::Error> {
    let newest = embedded::migrations::runner()
        .get_migrations()
        .iter()
        .map(refinery::Migration::version)
        .max();
    let known = newest.map_or(0, i64::from);
    let history = format!("{SCHEMA}.refinery_schema_history");
    let there = "select to_regclass($1) is not null";
    if !client.query_one(there, &[&history]).await?.get::<_, bool>(0) {
        return Ok(Ok(false));
    }
    let newest = format!("select max(version)::bigint from {history}");
    let found: Option<i64> = client.query_one(&newest, &[]).await?.get(0);
    Ok(match found {
        Some(found) if found > known => Err(StoreError::NewerSchema { found, known }),
        found => Ok(found == Some(known)),
    })
}

/// Holds the lock and makes sure of it: a pooler between us and the server gives each statement
/// another connection.
async fn lock(client: &Client) -> Result<Result<(), StoreError>, tokio_postgres::Error> {
    let patience = PATIENCE.as_millis();
    client.batch_execute(&format!("set lock_timeout to {patience}")).await?;
    client.execute("select pg_advisory_lock($1, $2)", &[&LOCKS, &LOCK]).await?;
    let held = "select exists (select from pg_locks where locktype = 'advisory' and granted \
                and pid = pg_backend_pid() and classid::bigint = $1 and objid = $2::bigint::oid)";
    let object = i64::from(LOCK.cast_unsigned());
    let held = client.query_one(held, &[&i64::from(LOCKS), &object]).await?;
    Ok(if held.get(0) {
        Ok(())
    } else {
        Err(StoreError::Config(
            "store.url leads through a pooler that shares connections between statements; \
             use one in session mode, or the server itself"
                .to_owned(),
        ))
    })
}

async fn make_schema(client: &Client) -> Result<(), tokio_postgres::Error> {
    let there = "select exists (select from pg_namespace where nspname = $1)";
    // asked first, because only who may create a schema may say "if not exists"
    if !client.query_one(there, &[&SCHEMA]).await?.get::<_, bool>(0) {
        client.batch_execute(&format!("create schema {SCHEMA}")).await?;
    }
    client.batch_execute(&format!("set search_path to {SCHEMA}")).await
}
