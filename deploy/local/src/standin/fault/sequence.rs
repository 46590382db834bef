use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::StatusCode;

/// How many sequences are remembered. After that all begin anew.
const MAX_SEQUENCES: usize = 200_000;

/// How far each job has come in each sequence.
#[derive(Debug, Default)]
pub(in crate::standin) struct Sequences(Mutex<HashMap<(String, Vec<StatusCode>), usize>>);

impl Sequences {
    /// The next status for this key, the last one for ever.
    pub(super) fn next(&self, key: String, statuses: &[StatusCode]) -> StatusCode {
        let mut positions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if positions.len() >= MAX_SEQUENCES {
            positions.clear();
        }
        let position = positions.entry((key, statuses.to_vec())).or_default();
        let status = statuses.get(*position).or(statuses.last()).copied();
        *position = position.saturating_add(1);
        status.unwrap_or(StatusCode::OK)
    }
}
