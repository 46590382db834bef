use crate::port::{JobCursor, JobEntry, JobPage};

/// A page of what [`search`](super::search()) found.
pub(crate) fn page(mut jobs: Vec<JobEntry>, limit: u32) -> JobPage {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = jobs.len() > limit;
    jobs.truncate(limit);
    let cursor =
        |last: &JobEntry| JobCursor { created_at: last.created_at, job_id: last.job_id.clone() };
    JobPage { next: jobs.last().filter(|_| has_more).map(cursor), jobs }
}
