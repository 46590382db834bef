use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actionfleet_proto::{Code, Timestamp};

use crate::port::{JobEntry, JobStatus, Why};

/// A row as the engines keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) entry: JobEntry,
    /// Who claimed it last; still known while it waits, so that a repeated call is recognised.
    pub(crate) fence: u64,
    /// Of the submission that claimed it last.
    pub(crate) sent_at: Option<Timestamp>,
}

/// Milliseconds since 1970; moments before are not kept.
pub(crate) fn millis(at: Timestamp) -> i64 {
    let seconds = at.unix_seconds();
    let rest =
        Timestamp::from_unix_seconds(seconds).map_or(Duration::ZERO, |whole| at.since(whole));
    let millis = seconds.saturating_mul(1000).saturating_add(u64::from(rest.subsec_millis()));
    i64::try_from(millis).unwrap_or(i64::MAX)
}

pub(crate) fn from_millis(millis: i64) -> Timestamp {
    let millis = u64::try_from(millis).unwrap_or(0);
    let whole = Timestamp::from_unix_seconds(millis / 1000).unwrap_or_else(Timestamp::now);
    whole.after(Duration::from_millis(millis % 1000))
}

pub(crate) fn millis_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// A UTC day in milliseconds.
pub(crate) const DAY: i64 = 24 * 60 * 60 * 1000;

/// When the moment's UTC day began.
pub(crate) fn day_start(moment: Timestamp) -> i64 {
    let moment = millis(moment);
    moment.saturating_sub(moment.rem_euclid(DAY))
}

/// A word that a newer version wrote counts as running: nobody may execute such a job anew.
pub(crate) fn status_of(word: &str) -> JobStatus {
    JobStatus::ALL.into_iter().find(|it| it.as_str() == word).unwrap_or(JobStatus::Running)
}

pub(crate) fn why_of(word: Option<&str>) -> Option<Why> {
    Why::ALL.into_iter().find(|it| Some(it.as_str()) == word)
}

pub(crate) fn code_of(word: Option<&str>) -> Option<Code> {
    word?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_kept_to_the_millisecond() {
        for text in ["1970-01-01T00:00:00Z", "2027-01-31T08:30:00.007Z", "2027-01-31T08:30:00.999Z"]
        {
            let moment: Timestamp = text.parse().unwrap();
            assert_eq!(from_millis(millis(moment)), moment);
        }
        let now = millis_now();
        assert_eq!(millis(from_millis(now)), now);
    }

    #[test]
    fn words_read_back() {
        for status in JobStatus::ALL {
            assert_eq!(status_of(status.as_str()), status);
        }
        for why in Why::ALL {
            assert_eq!(why_of(Some(why.as_str())), Some(why));
        }
    }
}
