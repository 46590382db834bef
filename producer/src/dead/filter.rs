//! Which dead letters.

use std::time::Duration;

use actionfleet_proto::{Code, Timestamp};

use super::DeadLetter;

/// Everything that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub job_id: Option<String>,
    pub code: Option<Code>,
    pub action: Option<String>,
    pub lane: Option<String>,
    /// Dead for at least this long.
    pub older_than: Option<Duration>,
    /// No more than this many.
    pub limit: Option<usize>,
}

impl Filter {
    pub(super) fn lets_through(&self, letter: &DeadLetter, now: Timestamp) -> bool {
        let old_enough =
            |age: Duration| letter.failed_at.is_some_and(|failed_at| now.since(failed_at) >= age);
        self.job_id.as_ref().is_none_or(|id| letter.job_id.as_ref() == Some(id))
            && self.code.is_none_or(|code| letter.code == Some(code))
            && self.action.as_ref().is_none_or(|action| letter.action.as_ref() == Some(action))
            && self.lane.as_ref().is_none_or(|lane| letter.lane.as_ref() == Some(lane))
            && self.older_than.is_none_or(old_enough)
    }
}
