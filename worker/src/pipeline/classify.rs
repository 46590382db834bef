//! The result of an attempt becomes an outcome: pure.

use std::time::Duration;

use actionfleet_proto::{ErrorBody, RetryPolicy};

use super::{Outcome, Subject, outcome::describe};
use crate::{
    handler::{Completion, HandlerError},
    retry::{Decision, decide},
};

/// What cut an attempt off before it had a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    Cancelled,
    /// The worker stops.
    Stopping,
    /// The link that brought the job is gone.
    Lost,
}

pub(super) type AttemptResult = Result<Result<Completion, HandlerError>, Cut>;

/// `time_left` is the time to the job's deadline, where it has one; `random` is from 0 to 1.
pub(super) fn classify(
    subject: &Subject,
    result: AttemptResult,
    policy: &RetryPolicy,
    time_left: Option<Duration>,
    random: f64,
) -> Outcome {
    let error = match result {
        Ok(Ok(completion)) => return Outcome::Succeeded(completion),
        Ok(Err(error)) => error,
        Err(Cut::Cancelled) => return Outcome::cancelled(subject),
        Err(Cut::Stopping) => return Outcome::Interrupted,
        Err(Cut::Lost) => return Outcome::Lost,
    };
    let decision = decide(&error, subject.state.attempt, policy, time_left, random);
    let error = error_body(subject, error);
    let outcome = match decision {
        Decision::Fail => Outcome::Failed(error),
        Decision::Exhaust => Outcome::Exhausted(error),
        Decision::RetryAfter(delay) => Outcome::RetryLater { delay, error },
        Decision::WaitWithoutAttempt(delay) => Outcome::Throttled { delay, error },
    };
    outcome.with_next()
}

fn error_body(subject: &Subject, error: HandlerError) -> ErrorBody {
    let mut body = ErrorBody::new(error.code, error.message);
    body.field_errors = error.field_errors;
    body.service = error.service;
    body.service_response = error.service_response;
    describe(subject, body)
}
