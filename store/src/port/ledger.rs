//! The ledger: one row a job id, so that a job is paid for once however often it is delivered.
//!
//! There are no leases that a slow call could outlive. Who holds a job is known from the broker's
//! delivery: one that it delivers *again* was lost by its former holder, and is taken over; the
//! fence tells the two apart.

use std::{fmt, time::Duration};

use actionfleet_proto::{Attempt, Code, Cost, Status, Timestamp};
use async_trait::async_trait;
use bytes::Bytes;

use crate::error::StoreError;

/// What became of the jobs. Every call answers only once its effect is committed, and is safe to
/// repeat after [`StoreError::Temporary`]: the same call has the same effect once.
#[async_trait]
pub trait Ledger: Send + Sync + fmt::Debug + 'static {
    /// Asks for the right to execute a delivery, before anything is paid for. A claim survives a
    /// crash of this process; a crash of the database may forget the claims of its last second.
    async fn claim(&self, claim: Claim) -> Result<Claimed, StoreError>;

    /// Gives a claim up for a later attempt. To be called **after** the copy for that attempt is
    /// confirmed by the broker and before the delivery is acked: parked first, a crash in between
    /// would leave an old delivery that is superseded by a copy that does not exist.
    async fn park(&self, claim: &Claim, parked: Parked) -> Result<Released, StoreError>;

    /// Records the outcome, durably, before it is published. A claim that the database has
    /// forgotten is no obstacle: what counts is that nobody else holds the job.
    async fn finish(&self, claim: &Claim, outcome: Outcome) -> Result<Finished, StoreError>;

    /// Forgets the outcomes of these jobs, so that each can be executed again from attempt 1.
    /// Yields those that now wait for that; one that runs or waits anyway is left alone.
    async fn reopen(&self, job_ids: Vec<String>) -> Result<Vec<String>, StoreError>;

    /// With the result.
    async fn get(&self, job_id: &str) -> Result<Option<JobEntry>, StoreError>;

    /// Newest first, without results.
    async fn find(&self, filter: &JobFilter) -> Result<JobPage, StoreError>;

    /// Drops the rows of all UTC days that lie wholly before the moment, in whatever state they
    /// are: what is kept must be longer than the longest life of a job. Yields how many rows there
    /// were, estimated where there were very many.
    async fn expire(&self, before: Timestamp) -> Result<u64, StoreError>;
}

/// One delivery that asks for its job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub job_id: String,
    /// From 1.
    pub attempt: u32,
    /// Whether the broker delivered it before, to a holder that lost it.
    pub redelivered: bool,
    /// When its producer sent this message, as the message says it, where it does. Two submissions
    /// of one job differ in it; what holds a job is taken over by its own delivery alone.
    pub sent_at: Option<Timestamp>,
    /// A random number by which this claim is known, chosen by the caller.
    pub fence: u64,
    /// The fence of the holder that made this copy when it gave the job up: where its
    /// [`Ledger::park`] was never written, the copy says so itself.
    pub released: Option<u64>,
    /// The longest that any worker lets a delivery take. A claim older than that is nobody's any
    /// more: its holder could not write that it gave up.
    pub longest: Duration,
    pub tenant: String,
    pub action: String,
    pub lane: String,
    pub enqueued_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// The job is the caller's until [`Ledger::park`] or [`Ledger::finish`].
    Execute,
    /// The job has an outcome: publish that one.
    Recorded(Box<Outcome>),
    /// Another delivery of the same job is being executed: ask again later.
    Busy,
    /// A later attempt exists, and this copy was delivered before: ack it and say nothing. Another
    /// submission of the same job is [`Claimed::Busy`].
    Superseded,
}

/// Why a job waits for a later attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    Retrying,
    Throttled,
    Scheduled,
    /// The worker was stopped.
    Interrupted,
    /// See [`Ledger::reopen`].
    Reopened,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The number that the copy carries: the same one where no attempt was spent.
    pub attempt_next: u32,
    pub why: Why,
    pub code: Option<Code>,
    /// When the copy is due.
    pub next_at: Option<Timestamp>,
    /// The timeline so far.
    pub attempts: Vec<Attempt>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Released {
    Parked,
    /// Another delivery holds the job or has its outcome: nothing was written.
    TakenOver,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub status: Status,
    /// `None` of a recorded one also where a newer version wrote a code unknown to this one.
    pub code: Option<Code>,
    /// What is published, to the byte.
    pub result: Bytes,
    pub attempts: Vec<Attempt>,
    /// The amount has at most 12 digits before and 12 after the point.
    pub cost: Option<Cost>,
    pub dead_lettered: bool,
    /// Kept to the millisecond.
    pub finished_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finished {
    /// The caller's outcome is the job's: publish it.
    Recorded,
    /// Another delivery holds the job: nothing was written, and nothing is to be published.
    TakenOver,
    /// Another delivery recorded this outcome before.
    Already(Box<Outcome>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobStatus {
    /// Claimed.
    Running,
    /// Parked, or reopened.
    Waiting,
    Finished(Status),
}

/// A job's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobEntry {
    pub job_id: String,
    pub tenant: String,
    pub action: String,
    pub lane: String,
    pub status: JobStatus,
    /// The one that runs, is next, or was the last.
    pub attempt: u32,
    /// Where it waits.
    pub why: Option<Why>,
    pub code: Option<Code>,
    pub enqueued_at: Timestamp,
    /// When the ledger first saw it, by the database's clock.
    pub created_at: Timestamp,
    /// The last claim, by the database's clock.
    pub claimed_at: Option<Timestamp>,
    pub next_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub cost: Option<Cost>,
    pub dead_lettered: bool,
    pub attempts: Vec<Attempt>,
    /// Of a finished one, by [`Ledger::get`] alone.
    pub result: Option<Bytes>,
}

/// What is to be found; everything that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    pub tenant: Option<String>,
    pub action: Option<String>,
    pub status: Option<JobStatus>,
    pub code: Option<Code>,
    /// The first moment that fits.
    pub created_from: Option<Timestamp>,
    /// The first moment that no longer fits.
    pub created_to: Option<Timestamp>,
    pub finished_from: Option<Timestamp>,
    pub finished_to: Option<Timestamp>,
    /// Where the page before ended.
    pub after: Option<JobCursor>,
    /// 1 to 1,000; 50 where absent.
    pub limit: Option<u32>,
}

/// A place in the list of jobs, which stays valid while jobs come and go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCursor {
    pub created_at: Timestamp,
    pub job_id: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobPage {
    pub jobs: Vec<JobEntry>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<JobCursor>,
}

impl JobFilter {
    pub const LIMIT_MAX: u32 = 1000;
    pub const LIMIT_DEFAULT: u32 = 50;
}

impl JobStatus {
    /// In the words of the column `status`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Finished(status) => status.as_str(),
        }
    }

    pub(crate) const ALL: [Self; 6] = [
        Self::Running,
        Self::Waiting,
        Self::Finished(Status::Succeeded),
        Self::Finished(Status::Failed),
        Self::Finished(Status::Expired),
        Self::Finished(Status::Cancelled),
    ];
}

impl Why {
    /// In the words of the column `why`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retrying => "retrying",
            Self::Throttled => "throttled",
            Self::Scheduled => "scheduled",
            Self::Interrupted => "interrupted",
            Self::Reopened => "reopened",
        }
    }

    pub(crate) const ALL: [Self; 5] =
        [Self::Retrying, Self::Throttled, Self::Scheduled, Self::Interrupted, Self::Reopened];
}
