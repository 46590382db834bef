//! The built-in handlers, and the list of all handlers of a fleet.

mod digits;
mod echo;
mod http;
mod openai;
mod registry;
mod sleep;
#[cfg(test)]
pub(crate) mod testing;

pub use self::{
    echo::Echo,
    http::Http,
    openai::{ImageToText, TextToText},
    registry::{DuplicateHandler, Handlers},
    sleep::Sleep,
};
