//! The signals that stop a process.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The first token fires at the first Ctrl-C or SIGTERM, the second at the second one.
pub fn stop_and_force() -> (CancellationToken, CancellationToken) {
    let (stop, force) = (CancellationToken::new(), CancellationToken::new());
    let fire = [stop.clone(), force.clone()];
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    tokio::spawn(async move {
        let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
            tracing::error!("cannot listen to signals; only a kill will stop this process");
            return;
        };
        for token in fire {
            next(&mut terminate, &mut interrupt).await;
            token.cancel();
        }
    });
    (stop, force)
}

async fn next(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
