use std::time::Duration;

use actionfleet_proto::{Retried, RetryPolicy};

use super::backoff;
use crate::handler::{Advice, HandlerError};

/// What becomes of a job whose attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Trying again cannot help.
    Fail,
    /// Trying again might help, but no attempt is left, or no time before the deadline.
    Exhaust,
    /// The next attempt, after the delay.
    RetryAfter(Duration),
    /// The same attempt, after the delay. Never past the deadline: there the job expires.
    WaitWithoutAttempt(Duration),
}

/// Decides about the attempt of this number, from 1.
///
/// The delay is the backoff or what the backend asked for, whichever is longer; what the backend
/// asked for may exceed the policy's `max_delay`. `time_left` is the time to the job's deadline,
/// where it has one; `random` is from 0 to 1.
pub fn decide(
    error: &HandlerError,
    attempt: u32,
    policy: &RetryPolicy,
    time_left: Option<Duration>,
    random: f64,
) -> Decision {
    let asked = match error.advice {
        Advice::Permanent => return Decision::Fail,
        Advice::Throttled { after } => {
            return Decision::WaitWithoutAttempt(time_left.map_or(after, |left| after.min(left)));
        }
        Advice::Retryable { after } => after,
    };
    let most = match error.code.retried() {
        Retried::Once => policy.max_attempts.min(2),
        Retried::Never | Retried::Backoff | Retried::Waits => policy.max_attempts,
    };
    if attempt >= most {
        return Decision::Exhaust;
    }
    let delay = backoff(policy, attempt, random).max(asked.unwrap_or_default());
    if time_left.is_some_and(|left| delay >= left) {
        return Decision::Exhaust;
    }
    Decision::RetryAfter(delay)
}

#[cfg(test)]
mod tests {
    use actionfleet_proto::Code;
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(3600);

    fn decided(error: &HandlerError, attempt: u32, left: Option<Duration>) -> Decision {
        decide(error, attempt, &RetryPolicy::DEFAULT, left, 0.5)
    }

    #[test]
    fn the_table() {
        let permanent = HandlerError::of(Code::BackendRejected, "no");
        let retryable = HandlerError::of(Code::BackendError, "later");
        let asked = retryable.clone().after(Some(HOUR));
        let once = HandlerError::of(Code::BackendInvalidResponse, "what");
        let throttled = HandlerError::throttled(Code::CircuitOpen, 5 * SECOND, "not now");
        let retry = Decision::RetryAfter;
        let wait = Decision::WaitWithoutAttempt;
        for (what, error, attempt, left, expected) in [
            ("permanent", &permanent, 1, None, Decision::Fail),
            ("first backoff", &retryable, 1, None, retry(SECOND / 2)),
            ("fourth backoff", &retryable, 4, None, retry(4 * SECOND)),
            ("attempts used up", &retryable, 5, None, Decision::Exhaust),
            ("attempts long gone", &retryable, u32::MAX, None, Decision::Exhaust),
            ("longer than max_delay", &asked, 1, None, retry(HOUR)),
            ("time enough", &retryable, 1, Some(SECOND), retry(SECOND / 2)),
            ("ends at the deadline", &retryable, 1, Some(SECOND / 2), Decision::Exhaust),
            ("asked beyond the deadline", &asked, 1, Some(HOUR), Decision::Exhaust),
            ("once", &once, 1, None, retry(SECOND / 2)),
            ("once, again", &once, 2, None, Decision::Exhaust),
            ("throttled", &throttled, 5, None, wait(5 * SECOND)),
            ("throttled for ever", &throttled, 99, Some(HOUR), wait(5 * SECOND)),
            ("throttled to the deadline", &throttled, 1, Some(SECOND), wait(SECOND)),
        ] {
            assert_eq!(decided(error, attempt, left), expected, "{what}");
        }
    }

    #[test]
    fn one_attempt_means_no_retry() {
        let policy = RetryPolicy { max_attempts: 1, ..RetryPolicy::DEFAULT };
        for code in Code::ALL.iter().filter(|code| code.is_retryable()) {
            let error = HandlerError::retryable(*code, "x");
            assert_eq!(decide(&error, 1, &policy, None, 0.1), Decision::Exhaust, "{code}");
        }
    }

    proptest! {
        #[test]
        fn a_retry_always_starts_before_the_deadline(
            attempt: u32, left: Duration, asked: Option<Duration>, random: f64,
        ) {
            let error = HandlerError::retryable(Code::BackendTimeout, "x").after(asked);
            match decide(&error, attempt, &RetryPolicy::DEFAULT, Some(left), random) {
                Decision::RetryAfter(delay) => {
                    prop_assert!(delay < left);
                    prop_assert!(delay >= asked.unwrap_or_default());
                    prop_assert!(attempt < RetryPolicy::DEFAULT.max_attempts);
                }
                decision => prop_assert_eq!(decision, Decision::Exhaust),
            }
        }
    }
}
