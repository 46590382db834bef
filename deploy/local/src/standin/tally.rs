use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::Service;

/// How many jobs are counted apart.
const MAX_JOBS: usize = 200_000;

/// What the stand-in was asked and what it answered.
#[derive(Debug, Default)]
pub(super) struct Tally {
    requests: AtomicU64,
    in_flight: AtomicU64,
    peak_in_flight: AtomicU64,
    answers: Mutex<BTreeMap<u16, u64>>,
    calls: Mutex<HashMap<String, u64>>,
    calls_not_counted: AtomicU64,
}

/// Figures since the start. Questions about the figures themselves are not in them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stats {
    pub requests: u64,
    /// Answers by HTTP status, counted when their head was sent.
    pub answers: BTreeMap<u16, u64>,
    pub in_flight: u64,
    pub peak_in_flight: u64,
    /// Calls of jobs beyond the 200,000 that are counted one by one.
    pub calls_not_counted: u64,
}

/// One request under way.
#[derive(Debug)]
pub(super) struct Request<'a>(&'a Tally);

impl Tally {
    pub(super) fn begin(&self, job_id: Option<&str>) -> Request<'_> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let in_flight = self.in_flight.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        self.peak_in_flight.fetch_max(in_flight, Ordering::Relaxed);
        if let Some(job_id) = job_id {
            self.count_call(job_id);
        }
        Request(self)
    }

    fn count_call(&self, job_id: &str) {
        let mut calls = lock(&self.calls);
        if let Some(count) = calls.get_mut(job_id) {
            *count = count.saturating_add(1);
        } else if calls.len() < MAX_JOBS {
            calls.insert(job_id.to_owned(), 1);
        } else {
            self.calls_not_counted.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            requests: self.requests.load(Ordering::Relaxed),
            answers: lock(&self.answers).clone(),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            peak_in_flight: self.peak_in_flight.load(Ordering::Relaxed),
            calls_not_counted: self.calls_not_counted.load(Ordering::Relaxed),
        }
    }

    pub(super) fn calls(&self) -> BTreeMap<String, u64> {
        lock(&self.calls).iter().map(|(job_id, count)| (job_id.clone(), *count)).collect()
    }
}

impl Request<'_> {
    pub(super) fn end(self, status: StatusCode) {
        let mut answers = lock(&self.0.answers);
        let count = answers.entry(status.as_u16()).or_default();
        *count = count.saturating_add(1);
    }
}

impl Drop for Request<'_> {
    /// Also when the client went away before there was an answer.
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) async fn count(State(service): State<Arc<Service>>) -> Json<Value> {
    Json(json!({ "count": service.tally.stats().requests }))
}

pub(super) async fn calls(State(service): State<Arc<Service>>) -> Json<BTreeMap<String, u64>> {
    Json(service.tally.calls())
}

pub(super) async fn stats(State(service): State<Arc<Service>>) -> Json<Stats> {
    Json(service.tally.stats())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
