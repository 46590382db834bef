//! Logs: text for a terminal, JSON for everything else, to standard error.

mod buffer;
mod json;

use std::{
    io::{self, IsTerminal},
    sync::OnceLock,
};

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use self::{buffer::Buffer, json::Lines};
use crate::config::{Log, LogFormat};

static BUFFER: OnceLock<Buffer> = OnceLock::new();

/// Writes what is left of the log; the last thing that a process does.
pub(crate) fn finish() {
    if let Some(buffer) = BUFFER.get() {
        buffer.write_out();
    }
}

/// Starts the log of this process. May be called once. People see each line at once; lines for
/// programs are gathered.
pub(crate) fn start(log: &Log) {
    // the configuration has read the filter before
    let filter = EnvFilter::try_new(&log.filter.0).unwrap_or_else(|_| EnvFilter::new("info"));
    let terminal = io::stderr().is_terminal();
    let registry = tracing_subscriber::registry().with(filter);
    let text = match log.format {
        LogFormat::Auto => terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    // fails where a log has been started already
    let _ = if text {
        let layer = fmt::layer().with_writer(io::stderr).with_ansi(terminal).with_target(false);
        registry.with(layer).try_init()
    } else {
        let layer = fmt::layer().event_format(Lines);
        match Buffer::start() {
            Ok(buffer) => {
                let buffer = BUFFER.get_or_init(|| buffer);
                registry.with(layer.with_writer(buffer.clone())).try_init()
            }
            Err(_) => registry.with(layer.with_writer(io::stderr)).try_init(),
        }
    };
}
