//! What the fleet remembers of a job between two deliveries: in a header of the copy that it puts
//! back, so that the body stays as the producer wrote it.

use serde::{Deserialize, Serialize};

use crate::{names::check_job_id, result::Attempt, time::Timestamp};

/// Travels in the [`STATE`](crate::headers::STATE) header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobState {
    /// The job's id: an id made by a worker must outlive the worker.
    pub id: String,
    /// The number of the next attempt, from 1.
    pub attempt: u32,
    /// When the first worker saw the job, or the producer's timestamp.
    pub enqueued_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_started_at: Option<Timestamp>,
    /// From the AMQP `expiration`, which no copy carries: it would cut a wait short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// The claim in the ledger that was given up with this copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<u64>,
}

impl JobState {
    /// A header that does not read is as good as none: the job starts anew.
    pub fn from_header(json: &str) -> Option<Self> {
        let state: Self = serde_json::from_str(json).ok()?;
        let plausible = check_job_id(&state.id).is_ok()
            && (1..=100).contains(&state.attempt)
            && state.attempts.len() <= 100;
        plausible.then_some(state)
    }

    /// Milliseconds in all attempts.
    pub fn running_ms(&self) -> u64 {
        self.attempts.iter().fold(0, |sum, attempt| sum.saturating_add(attempt.duration_ms))
    }

    pub fn to_header(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_is_not_ours_is_none() {
        let attempts = |count: usize, ms: u64| {
            let attempt = format!(
                r#"{{"number": 1, "started_at": "2026-01-01T00:00:00Z", "duration_ms": {ms},
                    "outcome": "retry", "code": "internal"}}"#
            );
            vec![attempt; count].join(",")
        };
        let header = |id: &str, attempt: u32, attempts: &str| {
            JobState::from_header(&format!(
                r#"{{"id": "{id}", "attempt": {attempt}, "enqueued_at": "2026-01-01T00:00:00Z",
                    "attempts": [{attempts}]}}"#
            ))
        };
        let ours = header("a", 100, &attempts(100, 7)).unwrap();
        assert_eq!(ours.running_ms(), 700);
        assert_eq!(JobState::from_header(&ours.to_header()), Some(ours));
        assert!(header("a b", 1, "").is_none(), "no job has this id");
        assert!(header("a", 0, "").is_none() && header("a", 101, "").is_none());
        assert!(header("a", 1, &attempts(101, 7)).is_none());
        let forged = header("a", 1, &attempts(2, u64::MAX)).unwrap();
        assert_eq!(forged.running_ms(), u64::MAX, "a sum that is too large is no panic");
    }
}
