//! What a command connects to: the queue and the store.

mod broker;
mod store;

pub(crate) use broker::{connect, connect_to_existing, link, no_link};
pub(crate) use store::{no_store, open_store, require_store};
