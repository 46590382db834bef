//! The ledger without a database: its rules, and how calls become batches. The engines load rows,
//! let [`Batch`] change them, and store what changed.

mod batch;
mod check;
mod gather;
mod page;
mod row;
mod rules;
#[cfg(test)]
mod rules_tests;
mod search;
mod usual;
#[cfg(test)]
mod usual_tests;
mod work;

pub(crate) use batch::{Batch, Changes};
pub(crate) use check::{check_claim, check_filter, check_ids, check_outcome};
pub(crate) use gather::{BatchConfig, Gather};
pub(crate) use page::page;
pub(crate) use row::{
    DAY, Row, code_of, day_start, from_millis, millis, millis_now, status_of, why_of,
};
pub(crate) use search::search;
pub(crate) use usual::usual;
pub(crate) use work::{Queue, Work};
