use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{sync::Notify, time::timeout};

use super::{Embedded, catalog_rows};

/// Another process's changes are looked for this often at least: it costs microseconds.
const POLL_MAX: Duration = Duration::from_millis(250);

/// Tells who waits of changes, by this process at once, by others soon; until the engine is gone.
pub(super) async fn run(engine: Weak<Embedded>, changed: Arc<Notify>, poll: Duration) {
    let mut failed = false;
    loop {
        let _ = timeout(poll.min(POLL_MAX), changed.notified()).await;
        let Some(engine) = engine.upgrade() else { return };
        let seen = engine.readers.read(catalog_rows::revisions).await;
        match &seen {
            Ok(seen) if failed => engine.revisions.saw_again(*seen),
            Ok(seen) => engine.revisions.saw(*seen),
            Err(error) if !failed => {
                tracing::warn!(%error, "changes of the catalog are not seen for now");
            }
            Err(_) => {}
        }
        failed = seen.is_err();
    }
}
