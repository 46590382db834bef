//! The sections, one file per concern.

mod admin;
mod breaker;
mod broker;
mod definitions;
mod http;
mod lanes;
mod limits;
mod log;
mod producer;
mod store;
mod worker;

pub(crate) use admin::Admin;
pub(crate) use breaker::Breaker;
pub(crate) use broker::{Broker, TopologyChoice};
pub(crate) use definitions::Definitions;
pub(crate) use http::Http;
pub(crate) use lanes::Lanes;
pub(crate) use limits::Limits;
pub(crate) use log::{Log, LogFormat};
pub(crate) use producer::Producer;
pub(crate) use store::{LedgerChoice, Store};
pub(crate) use worker::{ResultsChoice, Worker};

use super::key::Key;

const TABLE: [&[Key]; 11] = [
    Broker::KEYS,
    Store::KEYS,
    Worker::KEYS,
    Lanes::KEYS,
    Limits::KEYS,
    Http::KEYS,
    Breaker::KEYS,
    Definitions::KEYS,
    Admin::KEYS,
    Log::KEYS,
    Producer::KEYS,
];

/// Every key there is.
pub(super) fn keys() -> impl Iterator<Item = &'static Key> {
    TABLE.into_iter().flatten()
}
