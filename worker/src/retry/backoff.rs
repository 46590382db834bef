use std::time::Duration;

use actionfleet_proto::RetryPolicy;

/// Exponential backoff with full jitter: anything from nothing up to
/// `initial_delay × multiplier^(attempt - 1)`, itself at most `max_delay`.
///
/// Full jitter spreads the jobs that one outage stopped evenly over the wait, where a fixed wait
/// would bring them all back at the same moment
/// (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
///
/// `attempt` is the one that failed, from 1; `random` is from 0 to 1. Total: whatever comes in,
/// the delay is at most `max_delay`.
pub fn backoff(policy: &RetryPolicy, attempt: u32, random: f64) -> Duration {
    let bound = upper_bound(policy, attempt);
    let random = if random.is_nan() { 0.0 } else { random.clamp(0.0, 1.0) };
    Duration::try_from_secs_f64(bound.as_secs_f64() * random).unwrap_or(bound).min(bound)
}

fn upper_bound(policy: &RetryPolicy, attempt: u32) -> Duration {
    if policy.initial_delay.is_zero() {
        return Duration::ZERO;
    }
    let steps = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
    let bound = policy.initial_delay.as_secs_f64() * policy.multiplier.max(1.0).powi(steps);
    // infinite, or more seconds than a `Duration` holds
    Duration::try_from_secs_f64(bound).unwrap_or(policy.max_delay).min(policy.max_delay)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn doubles_up_to_the_cap() {
        for (attempt, seconds) in
            [(0, 1), (1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (100, 60), (u32::MAX, 60)]
        {
            let half = backoff(&RetryPolicy::DEFAULT, attempt, 0.5);
            assert_eq!(half, Duration::from_secs(seconds) / 2, "attempt {attempt}");
        }
    }

    proptest! {
        #[test]
        fn never_beyond_its_bounds(
            initial: Duration, max_delay: Duration, multiplier: f64, attempt: u32, random: f64,
        ) {
            let policy =
                RetryPolicy { max_attempts: 5, initial_delay: initial, max_delay, multiplier };
            prop_assert!(backoff(&policy, attempt, random) <= max_delay);
        }

        #[test]
        fn grows_with_the_attempt(attempt in 1u32..99, random in 0.0..1.0) {
            let policy = RetryPolicy::DEFAULT;
            prop_assert!(backoff(&policy, attempt, random) <= backoff(&policy, attempt + 1, random));
        }
    }

    #[test]
    fn nothing_stays_nothing() {
        let policy = RetryPolicy {
            initial_delay: Duration::ZERO,
            multiplier: 100.0,
            ..RetryPolicy::DEFAULT
        };
        assert_eq!(backoff(&policy, 1000, 0.9), Duration::ZERO);
        assert_eq!(backoff(&RetryPolicy::DEFAULT, 3, f64::NAN), Duration::ZERO);
    }
}
