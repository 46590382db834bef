//! The catalog without a database: what is refused, how entries are kept, how they are searched.

mod check;
#[cfg(test)]
mod check_tests;
mod revisions;
mod search;
mod stored;

pub(crate) use check::{check_entry, check_key, check_query, check_writes};
pub(crate) use revisions::Revisions;
pub(crate) use search::{count, search};
pub(crate) use stored::{Stored, Written, decide};
