//! The file: its settings, its tables, and whether it is ours.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags};

use super::{
    EmbeddedConfig,
    error::{Sql, is_busy, open_error},
};
use crate::port::BrokerError;

/// `AFLQ`, so that `file` and this engine tell the file from others.
const APPLICATION: i64 = 0x4146_4C51;
const VERSION: i64 = 1;
/// How often, at about a millisecond each, a writing process is waited for.
const BUSY_TRIES: i32 = 10_000;
/// Of 4 KiB each: the write-ahead log is copied into the file after so many.
const CHECKPOINT_PAGES: i64 = 4_000;
const LARGEST_LOG: i64 = 64 * 1024 * 1024;
const PAGE_CACHE_KIB: i64 = 16 * 1024;
pub(super) const PAGE: u64 = 4_096;

/// Ids of messages are `queue << 40 | place`: a queue's messages lie together and in order without
/// an index. Ids of delayed ones are `due in ms << 20 | place`.
const TABLES: &str = "
CREATE TABLE session (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pid INTEGER NOT NULL,
    started INTEGER NOT NULL
) STRICT;
CREATE TABLE queue (
    id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id < 1 << 23),
    name TEXT NOT NULL UNIQUE,
    arguments TEXT NOT NULL,
    head INTEGER NOT NULL,
    delivery_limit INTEGER,
    dead_letters TEXT,
    expires_ms INTEGER,
    idle_since INTEGER,
    owner INTEGER
) STRICT;
CREATE TABLE consumer (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    queue INTEGER NOT NULL
) STRICT;
CREATE TABLE exchange (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE binding (
    exchange TEXT NOT NULL,
    pattern TEXT NOT NULL,
    queue TEXT NOT NULL,
    PRIMARY KEY (exchange, pattern, queue)
) STRICT, WITHOUT ROWID;
CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    expires INTEGER,
    properties TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE held (
    message INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    deliveries INTEGER NOT NULL
) STRICT;
CREATE TABLE returned (
    message INTEGER PRIMARY KEY,
    deliveries INTEGER NOT NULL
) STRICT;
CREATE TABLE delayed (
    id INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    ttl INTEGER,
    properties TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE probe (filler BLOB NOT NULL) STRICT;
";

/// Opens the file, and creates it where it is missing.
pub(super) fn open(config: &EmbeddedConfig) -> Result<Connection, BrokerError> {
    let file = config.file();
    let folder = &config.folder;
    std::fs::create_dir_all(folder).map_err(|error| {
        BrokerError::Config(format!(
            "the folder {} cannot be created: {error}; create it, or choose another",
            folder.display()
        ))
    })?;
    let connection = connect(&file, config.max_bytes).map_err(|error| open_error(&error, &file))?;
    own(&connection, &file)?;
    Ok(connection)
}

fn connect(file: &Path, max_bytes: Option<u64>) -> Sql<Connection> {
    // without SQLite's own lock: one thread has the connection
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(file, flags)?;
    connection.busy_handler(Some(wait))?;
    connection.set_prepared_statement_cache_capacity(64);
    // before there is a table, or it has no effect
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    begin_log(&connection)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", LARGEST_LOG)?;
    connection.pragma_update(None, "cache_size", -PAGE_CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    if let Some(bytes) = max_bytes {
        let pages = i64::try_from((bytes / PAGE).max(1)).unwrap_or(i64::MAX);
        connection.pragma_update(None, "max_page_count", pages)?;
    }
    Ok(connection)
}

/// SQLite's own way of waiting sleeps for up to 100 ms: it would rarely find a busy process
/// between two of its transactions.
pub(super) fn wait(tries: i32) -> bool {
    std::thread::sleep(Duration::from_micros(fastrand::u64(200..1_500)));
    tries < BUSY_TRIES
}

/// The change to a write-ahead log does not wait for others as a transaction does.
fn begin_log(connection: &Connection) -> Sql<()> {
    let mut left = 100;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if is_busy(&error) && left > 0 => {
                left -= 1;
                std::thread::sleep(Duration::from_millis(20));
            }
            outcome => return outcome,
        }
    }
}

/// Refuses a file that is not ours or too new, and fills an empty one.
fn own(connection: &Connection, file: &Path) -> Result<(), BrokerError> {
    let failed = |error: rusqlite::Error| open_error(&error, file);
    connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let count = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = connection.query_row(count, [], |row| row.get(0)).map_err(failed)?;
    let application = number("application_id").map_err(failed)?;
    let version = number("user_version").map_err(failed)?;
    let file = file.display();
    match (tables, application, version) {
        (0, 0, 0) => {
            connection.execute_batch(TABLES).map_err(failed)?;
            connection.pragma_update(None, "application_id", APPLICATION).map_err(failed)?;
            connection.pragma_update(None, "user_version", VERSION).map_err(failed)?;
        }
        (_, APPLICATION, VERSION) => {}
        (_, APPLICATION, newer) if newer > VERSION => {
            return Err(BrokerError::Config(format!(
                "{file} was written by a newer version of actionfleet (its format is {newer}, \
                 this version knows {VERSION}); run that version, or choose another folder"
            )));
        }
        _ => {
            return Err(BrokerError::Config(format!(
                "{file} belongs to another program or to a version of actionfleet that is no \
                 longer known (format {version}); move it away, or choose another folder"
            )));
        }
    }
    connection.execute_batch("COMMIT").map_err(failed)
}
