//! The retry policy as data; the decision and the delay are the worker's.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{delay::DELAY_MAX, time::Span};

/// A job's or an action's wishes; what is absent comes from the level below.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RetryOptions {
    /// 1 to 100; 1 means no retry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// The backoff's first upper bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_delay: Option<Span>,
    /// The backoff's last upper bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_delay: Option<Span>,
    /// 1 to 100: each upper bound is the one before it times this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiplier: Option<f64>,
}

/// A validated policy: [`RetryPolicy::DEFAULT`] overlaid by options.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    pub max_attempts: u32,
    pub initial_delay: Duration,
    pub max_delay: Duration,
    pub multiplier: f64,
}

impl RetryPolicy {
    pub const DEFAULT: Self = Self {
        max_attempts: 5,
        initial_delay: Duration::from_secs(1),
        max_delay: Duration::from_secs(60),
        multiplier: 2.0,
    };

    /// Overlays the policy; the error names the field and its bounds.
    pub fn with(self, options: &RetryOptions) -> Result<Self, &'static str> {
        let policy = Self {
            max_attempts: options.max_attempts.unwrap_or(self.max_attempts),
            initial_delay: options.initial_delay.map_or(self.initial_delay, |span| span.0),
            max_delay: options.max_delay.map_or(self.max_delay, |span| span.0),
            multiplier: options.multiplier.unwrap_or(self.multiplier),
        };
        if !(1..=100).contains(&policy.max_attempts) {
            return Err("retry.max_attempts must be from 1 to 100");
        }
        if !(1.0..=100.0).contains(&policy.multiplier) {
            return Err("retry.multiplier must be from 1 to 100");
        }
        if policy.initial_delay.max(policy.max_delay) > DELAY_MAX {
            return Err("retry.initial_delay and retry.max_delay must be at most 36h");
        }
        Ok(policy)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_overlay_and_are_bounded() {
        let options = RetryOptions { max_attempts: Some(3), ..RetryOptions::default() };
        let policy = RetryPolicy::DEFAULT.with(&options).unwrap();
        assert_eq!((policy.max_attempts, policy.max_delay), (3, Duration::from_secs(60)));
        for (options, field) in [
            (RetryOptions { max_attempts: Some(0), ..options }, "max_attempts"),
            (RetryOptions { max_attempts: Some(101), ..options }, "max_attempts"),
            (RetryOptions { initial_delay: Some(Span(2 * DELAY_MAX)), ..options }, "initial_delay"),
            (RetryOptions { max_delay: Some(Span(2 * DELAY_MAX)), ..options }, "max_delay"),
            (RetryOptions { multiplier: Some(0.5), ..options }, "multiplier"),
            (RetryOptions { multiplier: Some(f64::NAN), ..options }, "multiplier"),
        ] {
            assert!(RetryPolicy::DEFAULT.with(&options).unwrap_err().contains(field));
        }
    }
}
