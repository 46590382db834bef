//! The delay ladder: any delay of whole seconds spelled in binary as a routing key.
//!
//! Level `n` is a topic exchange and a queue whose messages expire after 2^n seconds. The word of
//! the key for level `n` says `1`: wait in the queue, or `0`: pass on to the level below. Seventeen
//! queues carry any delay, and since all messages of a queue wait equally long, none waits behind
//! another.

use std::time::Duration;

/// Levels 16 to 0.
pub const DELAY_LEVELS: u32 = 17;

/// The longest wait of one passage: 36 h 24 min 31 s. What waits longer goes round again.
pub const DELAY_MAX: Duration = Duration::from_secs((1 << DELAY_LEVELS) - 1);

/// Where a message enters the ladder, and with which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelayRoute {
    /// The highest level at which it waits.
    pub level: u32,
    pub routing_key: String,
}

impl DelayRoute {
    /// Rounds up to whole seconds, from one second to [`DELAY_MAX`].
    pub fn new(delay: Duration, lane: &str) -> Self {
        let whole = delay.as_secs().saturating_add(u64::from(delay.subsec_nanos() > 0));
        let seconds = whole.clamp(1, DELAY_MAX.as_secs());
        let mut routing_key = String::with_capacity(40 + lane.len());
        for level in (0..DELAY_LEVELS).rev() {
            routing_key.push(if seconds >> level & 1 == 1 { '1' } else { '0' });
            routing_key.push('.');
        }
        routing_key.push_str(lane);
        Self { level: seconds.ilog2(), routing_key }
    }

    /// The binding key of a level's queue (`bit` true) or of the level below (`bit` false).
    pub(crate) fn pattern(level: u32, bit: bool) -> String {
        let mut pattern = "*.".repeat(usize::try_from(DELAY_LEVELS - 1 - level).unwrap_or(0));
        pattern.push_str(if bit { "1.#" } else { "0.#" });
        pattern
    }

    /// The binding key of a lane's queue at the ladder's foot.
    pub(crate) fn foot(lane: &str) -> String {
        format!("{}{lane}", "*.".repeat(usize::try_from(DELAY_LEVELS).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a topic exchange does, for the patterns used here.
    fn matches(pattern: &str, key: &str) -> bool {
        let mut words = key.split('.');
        for part in pattern.split('.') {
            match (part, words.next()) {
                ("#", _) => return true,
                ("*", Some(_)) => {}
                (part, Some(word)) if part == word => {}
                _ => return false,
            }
        }
        words.next().is_none()
    }

    /// Follows a message down the ladder and adds up where it waits.
    fn walk(route: &DelayRoute, lane: &str) -> u64 {
        let mut waited = 0;
        for level in (0..=route.level).rev() {
            let waits = matches(&DelayRoute::pattern(level, true), &route.routing_key);
            assert_ne!(waits, matches(&DelayRoute::pattern(level, false), &route.routing_key));
            waited += if waits { 1 << level } else { 0 };
        }
        assert!(matches(&DelayRoute::foot(lane), &route.routing_key));
        assert!(!matches(&DelayRoute::foot("other"), &route.routing_key));
        waited
    }

    proptest::proptest! {
        #[test]
        fn the_waits_add_up(seconds in 1u64..=DELAY_MAX.as_secs(), lane in "[a-z_-]{1,9}") {
            let route = DelayRoute::new(Duration::from_secs(seconds), &lane);
            proptest::prop_assert_eq!(walk(&route, &lane), seconds);
        }
    }

    #[test]
    fn rounded_and_clamped() {
        for (delay, seconds) in [
            (Duration::ZERO, 1),
            (Duration::from_millis(2001), 3),
            (Duration::MAX, DELAY_MAX.as_secs()),
        ] {
            assert_eq!(walk(&DelayRoute::new(delay, "bulk"), "bulk"), seconds);
        }
    }
}
