//! A circuit breaker: a backend that keeps failing is left alone for a while.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use prometheus::IntGauge;
use tokio::time::Instant;

use crate::config::BreakerConfig;

/// Calls let through, and needed to succeed, before the circuit closes again.
const PROBES: usize = 3;

/// Closed, it counts the last calls and opens at a share of failures; open, it turns calls away;
/// after a while it is half open, lets a few calls probe the backend and closes or opens by them.
#[derive(Debug)]
pub(super) struct Breaker {
    config: BreakerConfig,
    /// 0 closed, 1 half open, 2 open.
    gauge: IntGauge,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Counts the changes of phase: what a call of an earlier phase ends with says nothing about
    /// this one.
    generation: u64,
}

#[derive(Debug)]
enum Phase {
    /// The last calls, true where one failed.
    Closed {
        failed: VecDeque<bool>,
        failures: usize,
    },
    Open {
        until: Instant,
    },
    HalfOpen {
        in_flight: usize,
        successes: usize,
    },
}

/// What a call says about its backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    Good,
    Bad,
    /// Nothing: cancelled, or never sent.
    Unknown,
}

/// A call that was let through. Dropped, it says nothing about the backend.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    breaker: &'a Breaker,
    generation: u64,
    health: Health,
}

impl Breaker {
    pub(super) fn new(config: BreakerConfig, gauge: IntGauge) -> Self {
        gauge.set(0);
        let state = State { phase: Phase::closed(config.window), generation: 0 };
        Self { config, gauge, state: Mutex::new(state) }
    }

    /// Lets a call through, or says how long none will be.
    pub(super) fn admit(&self) -> Result<Permit<'_>, Duration> {
        let mut state = self.lock();
        if let Phase::Open { until } = state.phase {
            let wait = until.saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                return Err(wait);
            }
            self.enter(&mut state, Phase::HalfOpen { in_flight: 0, successes: 0 });
        }
        if let Phase::HalfOpen { in_flight, successes } = &mut state.phase {
            if *in_flight + *successes >= PROBES {
                return Err(Duration::ZERO);
            }
            *in_flight += 1;
        }
        Ok(Permit { breaker: self, generation: state.generation, health: Health::Unknown })
    }

    pub(super) fn open_for(&self) -> Duration {
        self.config.open_for
    }

    fn settle(&self, generation: u64, health: Health) {
        let mut state = self.lock();
        if state.generation != generation {
            return;
        }
        let next = match &mut state.phase {
            Phase::Closed { .. } if health == Health::Unknown => None,
            Phase::Closed { failed, failures } => {
                if failed.len() >= self.config.window && failed.pop_front() == Some(true) {
                    *failures -= 1;
                }
                failed.push_back(health == Health::Bad);
                *failures += usize::from(health == Health::Bad);
                let full = failed.len() >= self.config.window;
                (full && share(*failures, failed.len()) >= self.config.failure_ratio)
                    .then(|| self.open())
            }
            Phase::HalfOpen { in_flight, successes } => {
                *in_flight = in_flight.saturating_sub(1);
                *successes += usize::from(health == Health::Good);
                match health {
                    Health::Bad => Some(self.open()),
                    _ if *successes >= PROBES => Some(Phase::closed(self.config.window)),
                    _ => None,
                }
            }
            Phase::Open { .. } => None,
        };
        if let Some(phase) = next {
            self.enter(&mut state, phase);
        }
    }

    fn open(&self) -> Phase {
        Phase::Open { until: Instant::now() + self.config.open_for }
    }

    fn enter(&self, state: &mut State, phase: Phase) {
        self.gauge.set(match phase {
            Phase::Closed { .. } => 0,
            Phase::HalfOpen { .. } => 1,
            Phase::Open { .. } => 2,
        });
        state.phase = phase;
        state.generation += 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Phase {
    fn closed(window: usize) -> Self {
        Self::Closed { failed: VecDeque::with_capacity(window), failures: 0 }
    }
}

/// Both are at most the window, far below where a float loses whole numbers.
fn share(part: usize, whole: usize) -> f64 {
    let float = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    float(part) / float(whole).max(1.0)
}

impl Permit<'_> {
    pub(super) fn settle(mut self, health: Health) {
        self.health = health;
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.breaker.settle(self.generation, self.health);
    }
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;
