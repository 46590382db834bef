//! The right to execute the job, from the ledger: once it has an outcome, that one is replayed.

use std::time::Duration;

use actionfleet_store::{Claim, Claimed};
use tokio::time::{Instant, sleep};

use super::{Outcome, Received, decode::Decoded, subject::sent_at};
use crate::{ledger::Asked, worker::Worker};

/// While another delivery of the same job is executed: looks here, then the broker's wait.
const FIRST_LOOK: Duration = Duration::from_millis(50);
const LOOKS: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_secs(3);
/// Over the time that a worker lets one delivery take.
const MARGIN: Duration = Duration::from_secs(60);

/// Stands for the name of an action that the job does not give.
const NONE: &str = "none";

/// `None` where there is no ledger, or none that answers.
pub(super) async fn claim(
    worker: &Worker,
    received: &Received,
    decoded: &mut Decoded,
) -> Result<Option<Box<Claim>>, Outcome> {
    let Some(books) = &worker.books else { return Ok(None) };
    let claim = Box::new(request(worker, received, decoded));
    let (start, mut wait) = (Instant::now(), FIRST_LOOK);
    loop {
        match books.claim(&claim, cut(worker, received)).await {
            // one without an answer may be made all the same, and then wants its end
            Asked::Answered(Claimed::Execute) | Asked::Unanswered => return Ok(Some(claim)),
            Asked::Answered(Claimed::Recorded(recorded)) => {
                return Err(Outcome::replayed(*recorded, claim.redelivered));
            }
            Asked::Answered(Claimed::Superseded) => return Err(Outcome::Superseded),
            Asked::Answered(Claimed::Busy) => {}
            Asked::Without => return Ok(None),
            Asked::CutOff => {
                // it may be made all the same: then the copy says that it was given up
                decoded.subject.state.released.get_or_insert(claim.fence);
                return Err(cut_off(received));
            }
        }
        if start.elapsed() + wait > LOOKS {
            return Err(Outcome::Busy { delay: LATER });
        }
        tokio::select! {
            () = sleep(wait) => {}
            () = cut(worker, received) => return Err(cut_off(received)),
        }
        wait *= 2;
    }
}

fn request(worker: &Worker, received: &Received, decoded: &Decoded) -> Claim {
    let subject = &decoded.subject;
    let (state, config) = (&subject.state, &worker.config);
    Claim {
        job_id: state.id.clone(),
        attempt: state.attempt,
        redelivered: decoded.deliveries > 0,
        sent_at: sent_at(&received.delivery.properties),
        fence: fastrand::u64(..),
        released: state.released,
        longest: config.limits.max_timeout.saturating_add(config.grace).saturating_add(MARGIN),
        tenant: subject.tenant.clone(),
        action: subject.action.clone().unwrap_or_else(|| NONE.to_owned()),
        lane: received.lane.to_string(),
        enqueued_at: state.enqueued_at,
    }
}

async fn cut(worker: &Worker, received: &Received) {
    tokio::select! {
        () = received.delivery.lost().cancelled() => {}
        () = worker.interrupt.cancelled() => {}
    }
}

fn cut_off(received: &Received) -> Outcome {
    if received.delivery.lost().is_cancelled() { Outcome::Lost } else { Outcome::Interrupted }
}
