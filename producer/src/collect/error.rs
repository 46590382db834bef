//! Why a caller got no result.

use actionfleet_broker::BrokerError;

use crate::SubmitError;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    #[error(transparent)]
    Submit(#[from] SubmitError),
    /// The job may still run: [`Producer::cancel`](crate::Producer::cancel) stops it.
    #[error("no result of job {id} in time; it may still run")]
    TimedOut { id: String },
    #[error("{max} callers wait for results already; try again later or raise the bound")]
    TooManyWaiters { max: usize },
    #[error("job {id}: somebody waits for a job of this id already")]
    AlreadyWaiting { id: String },
    #[error("reply: must be absent where the caller waits for the result")]
    ReplyTaken,
    #[error("no queue for replies: {0}")]
    Replies(BrokerError),
    /// The broker was closed by this process.
    #[error("job {id}: the link to the broker was closed before its result came")]
    Closed { id: String },
}
