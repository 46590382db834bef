//! Changes by other processes: told by the server, and looked for, since what it tells may get lost.

use std::{sync::Arc, time::Duration};

use futures::future::poll_fn;
use tokio::{sync::Notify, time::timeout};
use tokio_postgres::{AsyncMessage, Client};
use tokio_util::task::AbortOnDropHandle;

use super::{
    SCHEMA, catalog_rows,
    connect::{Driver, Target},
    error::bounded,
};
use crate::{catalog::Revisions, error::StoreError};

/// Between two attempts to reach the server.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Tells `revisions` of every change, over all losses of the connection.
pub(super) async fn run(target: Target, revisions: Arc<Revisions>, poll: Duration) {
    let mut pause = PAUSE_MIN;
    loop {
        let Err(error) = listen(&target, &revisions, poll, &mut pause).await;
        tracing::warn!(%error, "changes of the catalog are not seen for now");
        tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        pause = pause.saturating_mul(2).min(PAUSE_MAX);
    }
}

/// For as long as one connection lasts.
async fn listen(
    target: &Target,
    revisions: &Revisions,
    poll: Duration,
    pause: &mut Duration,
) -> Result<std::convert::Infallible, StoreError> {
    let (client, connection) = target.connect().await?;
    let told = Arc::new(Notify::new());
    // gone with this function, and the connection with it
    let _driver = AbortOnDropHandle::new(tokio::spawn(drive(connection, told.clone())));
    let begin = format!(
        "set search_path to {SCHEMA}; listen actionfleet_catalog; listen actionfleet_secrets"
    );
    bounded(target.timeout, client.batch_execute(&begin)).await?;
    // whatever was told in between was told to nobody
    revisions.saw_again(look(target, &client).await?);
    *pause = PAUSE_MIN;
    loop {
        let _ = timeout(poll, told.notified()).await;
        revisions.saw(look(target, &client).await?);
    }
}

async fn look(target: &Target, client: &Client) -> Result<(i64, i64), StoreError> {
    bounded(target.timeout, catalog_rows::revisions(client)).await
}

async fn drive(mut connection: Driver, told: Arc<Notify>) {
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if matches!(message, AsyncMessage::Notification(_)) {
            told.notify_one();
        }
    }
    // the next look finds the connection closed
    told.notify_one();
}
