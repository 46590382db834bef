//! SIGTERM and Ctrl-C: the first asks to stop, the second to hurry. And SIGXFSZ, which is not to end
//! the process: a file that may not grow is an error like a full disk.

use std::io;

use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

#[derive(Debug)]
pub(crate) struct Signals {
    pub(crate) stop: CancellationToken,
    /// Skips the grace period.
    pub(crate) force: CancellationToken,
}

/// From here on, neither signal ends the process by itself.
pub(crate) fn listen() -> io::Result<Signals> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // the handler stays without anybody who waits for it
    drop(signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?);
    let signals = Signals { stop: CancellationToken::new(), force: CancellationToken::new() };
    let tokens = [signals.stop.clone(), signals.force.clone()];
    tokio::spawn(async move {
        for token in tokens {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            token.cancel();
        }
    });
    Ok(signals)
}
