use std::time::Duration;

use anyhow::bail;

/// How the stand-in misbehaves by itself, in `/v1/chat/completions` and `/echo`.
///
/// Which requests are hit follows from the seed and their number alone: the same over every run.
#[derive(Debug, Clone, PartialEq)]
pub struct Misbehaviour {
    pub seed: u64,
    /// Before every answer.
    pub latency: Duration,
    /// The share of requests, from 0 to 1, answered with 429 and `Retry-After: 1`.
    pub rate_limited: f64,
    /// The share answered with 503.
    pub unavailable: f64,
    /// The share answered later than the others, by [`slow_by`](Self::slow_by).
    pub slow: f64,
    pub slow_by: Duration,
    /// Answer nothing but 429 with `insufficient_quota`.
    pub quota_exhausted: bool,
}

/// What one request is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Fine,
    Slow,
    RateLimited,
    Unavailable,
    QuotaExhausted,
}

impl Default for Misbehaviour {
    /// None.
    fn default() -> Self {
        Self {
            seed: 1,
            latency: Duration::ZERO,
            rate_limited: 0.0,
            unavailable: 0.0,
            slow: 0.0,
            slow_by: Duration::from_secs(2),
            quota_exhausted: false,
        }
    }
}

impl Misbehaviour {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let rates = [
            ("rate limited", self.rate_limited),
            ("unavailable", self.unavailable),
            ("slow", self.slow),
        ];
        for (name, rate) in rates {
            if !(0.0..=1.0).contains(&rate) {
                bail!("the share of {name} requests is {rate}; it goes from 0 to 1");
            }
        }
        let sum: f64 = rates.iter().map(|(_, rate)| rate).sum();
        if sum > 1.0 {
            bail!("the shares of misbehaviour add up to {sum}, which is more than 1");
        }
        Ok(())
    }

    pub(super) fn mood(&self, turn: u64) -> Mood {
        if self.quota_exhausted {
            return Mood::QuotaExhausted;
        }
        let mut draw = fastrand::Rng::with_seed(self.seed.wrapping_add(turn)).f64();
        for (rate, mood) in [
            (self.rate_limited, Mood::RateLimited),
            (self.unavailable, Mood::Unavailable),
            (self.slow, Mood::Slow),
        ] {
            if draw < rate {
                return mood;
            }
            draw -= rate;
        }
        Mood::Fine
    }
}
