//! The outcome in the ledger before anybody is told of it, and the claim given up afterwards where
//! the job goes on.

use actionfleet_proto::{Cost, Timestamp};
use actionfleet_store::{Claim, Finished, Outcome as Recorded, Parked, Why};

use super::{
    Conclusion, Outcome, Received,
    encode::{self, Letter},
    outcome::Onward,
    publish::Receipt,
};
use crate::{ledger::Asked, worker::Worker};

/// What fits the ledger's column, on each side of the point.
const COST_DIGITS: usize = 12;

/// The result to be published, if any. Where another delivery of the job was faster, the outcome
/// becomes what that one's was.
pub(super) async fn record(
    worker: &Worker,
    received: &Received,
    conclusion: &mut Conclusion,
) -> Option<Letter> {
    let status = conclusion.outcome.route().reply?;
    let letter = encode::result(conclusion, status);
    let (Some(books), Some(claim)) = (&worker.books, &mut conclusion.claim) else {
        return Some(letter);
    };
    // attempts in place have gone on from the one that was claimed
    claim.attempt = conclusion.subject.state.attempt;
    let route = conclusion.outcome.route();
    let recorded = Recorded {
        status,
        code: conclusion.outcome.error().map(|error| error.code),
        result: letter.message.body.clone(),
        attempts: conclusion.subject.state.attempts.clone(),
        cost: conclusion.outcome.cost().and_then(fitting),
        dead_lettered: route.onward == Onward::DeadLetters,
        finished_at: letter.finished_at,
    };
    match books.finish(claim, &recorded, received.delivery.lost().cancelled()).await {
        Asked::Answered(Finished::Recorded) | Asked::Without | Asked::Unanswered => Some(letter),
        Asked::Answered(Finished::TakenOver) => {
            conclusion.outcome = Outcome::Superseded;
            None
        }
        Asked::Answered(Finished::Already(recorded)) => {
            let status = recorded.status;
            conclusion.outcome = Outcome::replayed(*recorded, false);
            Some(encode::result(conclusion, status))
        }
        Asked::CutOff => {
            conclusion.outcome = Outcome::Lost;
            None
        }
    }
}

/// After the copy for a later attempt is confirmed, and before the delivery is acked: the other way
/// round, a crash would leave an old delivery that a copy which does not exist has superseded.
pub(super) async fn park(worker: &Worker, received: &Received, conclusion: &Conclusion) -> Receipt {
    let (Some(books), Some(claim)) = (&worker.books, &conclusion.claim) else {
        return Receipt::Confirmed;
    };
    let Some(parked) = parked(conclusion, claim) else { return Receipt::Confirmed };
    match books.park(claim, &parked, received.delivery.lost().cancelled()).await {
        Asked::Answered(_) | Asked::Without | Asked::Unanswered => Receipt::Confirmed,
        Asked::CutOff => Receipt::Lost,
    }
}

fn parked(conclusion: &Conclusion, claim: &Claim) -> Option<Parked> {
    let Conclusion { subject, outcome, .. } = conclusion;
    let why = match outcome {
        Outcome::RetryLater { .. } => Why::Retrying,
        Outcome::Throttled { .. } => Why::Throttled,
        Outcome::Scheduled { .. } => Why::Scheduled,
        Outcome::Interrupted => Why::Interrupted,
        _ => return None,
    };
    let (delay, spent) = match outcome.route().onward {
        Onward::Ladder { delay, attempt } => (Some(delay), attempt),
        _ => (None, 0),
    };
    Some(Parked {
        attempt_next: subject.state.attempt.max(claim.attempt).saturating_add(spent),
        why,
        code: outcome.error().map(|error| error.code),
        next_at: delay.map(|delay| Timestamp::now().after(delay)),
        attempts: subject.state.attempts.clone(),
    })
}

/// Cut to what the ledger's column takes; an amount beyond that is in the result alone.
fn fitting(cost: &Cost) -> Option<Cost> {
    let (whole, places) = cost.amount.split_once('.').unwrap_or((&cost.amount, "0"));
    let places = places.get(..COST_DIGITS).unwrap_or(places);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_currency =
        cost.currency.len() == 3 && cost.currency.bytes().all(|b| b.is_ascii_uppercase());
    let fits = digits(whole) && whole.len() <= COST_DIGITS && digits(places) && is_currency;
    fits.then(|| Cost { amount: format!("{whole}.{places}"), currency: cost.currency.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_cut_to_the_column() {
        for (amount, currency, fits) in [
            ("0.0000045", "USD", Some("0.0000045")),
            ("3", "EUR", Some("3.0")),
            ("0.1234567890123", "USD", Some("0.123456789012")),
            ("1234567890123", "USD", None),
            ("-1", "USD", None),
            ("1.", "USD", None),
            ("1", "usd", None),
            ("1", "US", None),
        ] {
            let cost = Cost { amount: amount.to_owned(), currency: currency.to_owned() };
            let amount = fitting(&cost).map(|cost| cost.amount);
            assert_eq!(amount.as_deref(), fits, "{cost:?}");
        }
    }
}
