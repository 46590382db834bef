//! The ledger as the pipeline asks it: over its absences, as the policy says.

mod metrics;
mod owed;

use std::{
    fmt,
    future::Future,
    mem::{Discriminant, discriminant},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actionfleet_proto::Timestamp;
use actionfleet_store::{Claim, Claimed, Finished, Ledger, Outcome, Parked, Released, StoreError};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

pub(crate) use self::metrics::LedgerMetrics;
use self::owed::Owed;
use crate::config::{LedgerConfig, LedgerPolicy};

const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Best effort does not hold a job up for longer, nor ask more often while the ledger is away.
const EFFORT: Duration = Duration::from_secs(1);
const EXPIRY: Duration = Duration::from_secs(60 * 60);

/// What is written down of jobs.
pub(crate) struct Books {
    ledger: Arc<dyn Ledger>,
    config: LedgerConfig,
    metrics: LedgerMetrics,
    /// Why the ledger does not answer.
    trouble: watch::Sender<Option<String>>,
    /// The kind of trouble that was logged last.
    logged: Mutex<Option<Discriminant<StoreError>>>,
    /// Since when best effort goes without it.
    asked: Mutex<Option<Instant>>,
    /// What best effort told without an answer.
    owed: Owed,
}

#[derive(Debug)]
pub(crate) enum Asked<T> {
    Answered(T),
    /// The ledger is away and was not asked; jobs go on without it.
    Without,
    /// The same, but it was asked, and may have done it.
    Unanswered,
    /// What the caller waits for came first.
    CutOff,
}

impl Books {
    pub(crate) fn new(
        ledger: Arc<dyn Ledger>,
        config: LedgerConfig,
        metrics: LedgerMetrics,
        trouble: watch::Sender<Option<String>>,
    ) -> Self {
        metrics.up(true);
        let (logged, asked, owed) = Default::default();
        Self { ledger, config, metrics, trouble, logged, asked, owed }
    }

    pub(crate) async fn claim(
        &self,
        claim: &Claim,
        cut: impl Future<Output = ()>,
    ) -> Asked<Claimed> {
        let ask = || self.ledger.claim(claim.clone());
        let asked = self.ask("claim", cut, ask).await;
        self.metrics.claimed(&asked);
        asked
    }

    pub(crate) async fn finish(
        &self,
        claim: &Claim,
        outcome: &Outcome,
        cut: impl Future<Output = ()>,
    ) -> Asked<Finished> {
        let asked = self.ask("finish", cut, || self.ledger.finish(claim, outcome.clone())).await;
        self.metrics.finished(&asked);
        if matches!(asked, Asked::Without | Asked::Unanswered) {
            self.owed.add(claim, outcome);
        }
        asked
    }

    pub(crate) async fn park(
        &self,
        claim: &Claim,
        parked: &Parked,
        cut: impl Future<Output = ()>,
    ) -> Asked<Released> {
        let asked = self.ask("park", cut, || self.ledger.park(claim, parked.clone())).await;
        self.metrics.parked(&asked);
        asked
    }

    /// Records what is owed, and forgets old jobs now and then, until it is dropped.
    pub(crate) async fn keep(&self) {
        tokio::join!(self.record_owed(), self.forget_old());
    }

    async fn record_owed(&self) {
        loop {
            let (claim, outcome) = self.owed.next().await;
            while self.is_owed(&claim, &outcome).await {
                sleep(EFFORT.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            }
        }
    }

    /// Still, after another try.
    async fn is_owed(&self, claim: &Claim, outcome: &Outcome) -> bool {
        let start = Instant::now();
        let finish = self.ledger.finish(claim, outcome.clone());
        match self.metrics.timed("finish", finish).await {
            Ok(answer) if start.elapsed() < EFFORT => drop(self.answered(answer)),
            // too slow for jobs
            Ok(_) => {}
            Err(error @ StoreError::Invalid { .. }) => drop(refused::<Finished>("finish", &error)),
            Err(error) => {
                self.is_away(&error);
                return true;
            }
        }
        false
    }

    async fn forget_old(&self) {
        loop {
            sleep(EXPIRY.mul_f64(0.5 + fastrand::f64())).await;
            let now = Timestamp::now().unix_seconds();
            let before = now.saturating_sub(self.config.retention.as_secs());
            let Some(before) = Timestamp::from_unix_seconds(before) else { continue };
            match self.ledger.expire(before).await {
                Ok(0) => {}
                Ok(jobs) => tracing::info!(jobs, "the ledger has forgotten old jobs"),
                Err(error) => tracing::warn!(%error, "the ledger keeps old jobs for now"),
            }
        }
    }

    async fn ask<T, F>(
        &self,
        call: &'static str,
        cut: impl Future<Output = ()>,
        ask: impl Fn() -> F,
    ) -> Asked<T>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let asking = async {
            match self.config.policy {
                LedgerPolicy::BestEffort => self.try_once(call, ask).await,
                LedgerPolicy::Required | LedgerPolicy::Off => self.insist(call, ask).await,
            }
        };
        tokio::select! {
            biased;
            asked = asking => asked,
            () = cut => Asked::CutOff,
        }
    }

    async fn insist<T, F>(&self, call: &'static str, ask: impl Fn() -> F) -> Asked<T>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut wait = FIRST_WAIT;
        loop {
            match self.metrics.timed(call, ask()).await {
                Ok(answer) => return self.answered(answer),
                Err(error @ StoreError::Invalid { .. }) => return refused(call, &error),
                Err(error) => self.is_away(&error),
            }
            sleep(wait.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            wait = wait.saturating_mul(2).min(LONGEST_WAIT);
        }
    }

    async fn try_once<T, F>(&self, call: &'static str, ask: impl Fn() -> F) -> Asked<T>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        if !self.may_ask() {
            return Asked::Without;
        }
        match timeout(EFFORT, self.metrics.timed(call, ask())).await {
            Ok(Ok(answer)) => return self.answered(answer),
            Ok(Err(error @ StoreError::Invalid { .. })) => return refused(call, &error),
            Ok(Err(error)) => self.is_away(&error),
            Err(_) => {
                let slow = format!("it did not answer within {EFFORT:?}");
                self.is_away(&StoreError::Temporary(slow));
            }
        }
        Asked::Unanswered
    }

    /// While the ledger is away, one job in a while finds out whether it is back.
    fn may_ask(&self) -> bool {
        if self.trouble.borrow().is_none() {
            return true;
        }
        let mut asked = lock(&self.asked);
        let may = asked.is_none_or(|at| at.elapsed() >= EFFORT);
        if may {
            *asked = Some(Instant::now());
        }
        may
    }

    fn answered<T>(&self, answer: T) -> Asked<T> {
        if self.trouble.send_if_modified(|trouble| trouble.take().is_some()) {
            *lock(&self.logged) = None;
            tracing::info!("the ledger answers again");
            self.metrics.up(true);
        }
        Asked::Answered(answer)
    }

    fn is_away(&self, error: &StoreError) {
        // who looks is told what is wrong now, the log of each kind of trouble once
        let text = error.to_string();
        self.trouble.send_if_modified(|trouble| {
            let is_new = trouble.as_ref() != Some(&text);
            *trouble = Some(text);
            is_new
        });
        let kind = discriminant(error);
        if lock(&self.logged).replace(kind) != Some(kind) {
            let policy = self.config.policy;
            tracing::warn!(%error, ?policy, "the ledger does not answer");
            self.metrics.up(false);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the ledger can never take is a fault of ours; the job must not wait for ever for it.
fn refused<T>(call: &'static str, error: &StoreError) -> Asked<T> {
    tracing::error!(call, %error, "the ledger refuses an entry; the job goes on without it");
    Asked::Without
}

impl fmt::Debug for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Books").field("config", &self.config).finish_non_exhaustive()
    }
}
