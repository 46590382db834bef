//! What the outcome leads to, each message confirmed by the broker before the delivery is acked.

use std::time::Duration;

use actionfleet_broker::{Address, LinkState, Message, PublishError};
use actionfleet_proto::{NotificationStatus, NotifyOn};

use super::{
    Conclusion, Received,
    encode::{self, Letter},
    outcome::{Onward, Route},
};
use crate::{config::Results, worker::Worker};

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How often a reply is offered to a queue that refuses it.
const OFFERS: u32 = 8;

/// Whether the delivery may be settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Receipt {
    Confirmed,
    /// The link is gone: nothing may be settled, and the job comes again.
    Lost,
}

pub(super) async fn publish(
    worker: &Worker,
    received: &Received,
    conclusion: &Conclusion,
    letter: Option<Letter>,
) -> Receipt {
    let route = conclusion.outcome.route();
    if !route.ack {
        return Receipt::Lost;
    }
    let (told, moved) = tokio::join!(
        tell(worker, received, conclusion, letter),
        move_on(worker, received, conclusion, route),
    );
    if told == Receipt::Lost || moved == Receipt::Lost {
        return Receipt::Lost;
    }
    notify(worker, conclusion, route);
    Receipt::Confirmed
}

/// The result to the reply address and to whoever wants every result.
async fn tell(
    worker: &Worker,
    received: &Received,
    conclusion: &Conclusion,
    letter: Option<Letter>,
) -> Receipt {
    let Some(Letter { message, routing_key, .. }) = letter else { return Receipt::Confirmed };
    let everyone = Address::Results { routing_key };
    match (&conclusion.subject.reply_to, worker.config.results) {
        (None, Results::Replies) => Receipt::Confirmed,
        (None, Results::All) => confirmed(worker, received, &everyone, message).await,
        (Some(reply_to), Results::Replies) => {
            reply(worker, received, conclusion, reply_to, message).await
        }
        (Some(reply_to), Results::All) => {
            let (replied, told) = tokio::join!(
                reply(worker, received, conclusion, reply_to, message.clone()),
                confirmed(worker, received, &everyone, message),
            );
            if replied == Receipt::Lost { replied } else { told }
        }
    }
}

/// A reply address that is gone is the producer's affair; the job has its outcome all the same.
async fn reply(
    worker: &Worker,
    received: &Received,
    conclusion: &Conclusion,
    reply_to: &Address,
    message: Message,
) -> Receipt {
    let (mut offers, mut wait) = (0, FIRST_WAIT);
    loop {
        let outcome = worker.broker.publish(reply_to, message.clone()).await;
        worker.metrics.published(reply_to, &outcome);
        // a broker that takes nothing at all says nothing of the address
        offers += u32::from(!is_blocked(worker));
        match outcome {
            Ok(()) => return Receipt::Confirmed,
            Err(error @ (PublishError::Unroutable(_) | PublishError::Refused))
                if offers == OFFERS || error != PublishError::Refused =>
            {
                let job_id = &conclusion.subject.state.id;
                tracing::warn!(%job_id, %error, "the reply address takes no result; it is dropped");
                return Receipt::Confirmed;
            }
            Err(_) => {}
        }
        // a lost link shows itself here
        if pause(received, wait).await == Receipt::Lost {
            return Receipt::Lost;
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

fn is_blocked(worker: &Worker) -> bool {
    matches!(*worker.broker.link().borrow(), LinkState::Blocked(_))
}

/// The message itself, where it goes on.
async fn move_on(
    worker: &Worker,
    received: &Received,
    conclusion: &Conclusion,
    route: Route,
) -> Receipt {
    let Conclusion { subject, outcome, .. } = conclusion;
    let lane = received.lane.to_string();
    let (to, message) = match route.onward {
        Onward::Nowhere => return Receipt::Confirmed,
        Onward::Lane => (Address::Lane(lane), encode::copy(received, subject, 0)),
        Onward::Ladder { delay, attempt } => {
            if let Some(error) = outcome.error().filter(|_| subject.wants(NotifyOn::Retrying)) {
                worker.notifier.send(encode::retrying(subject, error, delay));
            }
            (Address::Delayed { lane, delay }, encode::copy(received, subject, attempt))
        }
        Onward::DeadLetters => match outcome.error() {
            Some(error) => (Address::Dead, encode::dead_letter(received, subject, error)),
            None => return Receipt::Confirmed,
        },
    };
    confirmed(worker, received, &to, message).await
}

/// Publishes until it is confirmed, or the link that brought the job is gone.
async fn confirmed(
    worker: &Worker,
    received: &Received,
    to: &Address,
    message: Message,
) -> Receipt {
    let mut wait = FIRST_WAIT;
    loop {
        let outcome = worker.broker.publish(to, message.clone()).await;
        worker.metrics.published(to, &outcome);
        match outcome {
            Ok(()) => return Receipt::Confirmed,
            Err(PublishError::Unroutable(_)) if !to.must_arrive() => return Receipt::Confirmed,
            // a lost link shows itself in the pause
            Err(error) => tracing::debug!(?to, %error, "publishing again"),
        }
        if pause(received, wait).await == Receipt::Lost {
            return Receipt::Lost;
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

async fn pause(received: &Received, wait: Duration) -> Receipt {
    match received.delivery.lost().run_until_cancelled(tokio::time::sleep(wait)).await {
        Some(()) => Receipt::Confirmed,
        None => Receipt::Lost,
    }
}

/// Best effort: nobody waits for it.
fn notify(worker: &Worker, conclusion: &Conclusion, route: Route) {
    let subject = &conclusion.subject;
    let wanted = match route.reply {
        Some(actionfleet_proto::Status::Succeeded) => NotifyOn::Completed,
        Some(_) => NotifyOn::Failed,
        None => return,
    };
    if subject.wants(wanted)
        && let Some((status, note)) = encode::finished(conclusion)
    {
        debug_assert!(matches!(
            (wanted, status),
            (NotifyOn::Completed, NotificationStatus::Completed)
                | (NotifyOn::Failed, NotificationStatus::Failed)
        ));
        worker.notifier.send(note);
    }
}
