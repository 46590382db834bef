//! What an operator can set: defaults < file < environment < flags, every key in one table.

mod check;
mod convert;
mod error;
mod key;
mod layers;
mod reference;
mod section;
mod sections;
mod setting;
mod settings;
mod url;
mod values;

pub(crate) use convert::open_files_limit;
pub(crate) use error::{ConfigError, Problem};
pub(crate) use layers::{Layers, Override, default_file, environment};
pub(crate) use reference::reference;
pub(crate) use sections::{LedgerChoice, Log, LogFormat};
pub(crate) use settings::Settings;
pub(crate) use url::StoreUrl;
pub(crate) use values::{Effective, Origin};

#[cfg(test)]
mod tests;
