//! Why a job is not on its queue.

use actionfleet_proto::{InvalidJob, InvalidName};

use super::SendError;

/// A variant for each thing that a caller can do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The job must be changed.
    #[error(transparent)]
    Invalid(#[from] InvalidJob),
    #[error("job id {id:?}: {rule}")]
    InvalidId { id: String, rule: InvalidName },
    #[error("lane {lane:?}: {rule}")]
    InvalidLane { lane: String, rule: InvalidName },
    #[error(
        "input: the job has {bytes} bytes of JSON and at most {max} are taken; give large media \
         as a `url`"
    )]
    TooLarge { bytes: usize, max: usize },
    /// The lane must be created, or the job must go to another.
    #[error(
        "lane `{lane}`: no queue takes its jobs; name the lane in the configuration (`lanes.{lane}`) \
         and start a worker or apply the topology"
    )]
    UnknownLane { lane: String },
    /// The job was never sent.
    #[error("job {id} was not sent: no link to the broker; submit it again once it is back")]
    NoLink { id: String },
    /// The queue is full or has no quorum; the job is not on it.
    #[error("job {id} was not taken: the queue of lane `{lane}` is full or has lost its quorum")]
    Refused { id: String, lane: String },
    /// The job may be on the queue or not. Submitted again with the same id, it is the same job.
    #[error(
        "job {id} was sent and not confirmed in time: it may be queued or not; submit it again \
         with the same id"
    )]
    Unconfirmed { id: String },
    /// The broker was closed by this process.
    #[error("job {id} was not sent: the link to the broker was closed")]
    Closed { id: String },
}

impl SubmitError {
    pub(crate) fn new(error: SendError, id: String, lane: String) -> Self {
        match error {
            SendError::Unroutable => Self::UnknownLane { lane },
            SendError::NoLink => Self::NoLink { id },
            SendError::Refused => Self::Refused { id, lane },
            SendError::Unconfirmed => Self::Unconfirmed { id },
            SendError::Closed => Self::Closed { id },
        }
    }

    /// Whether the same job may be taken later, unchanged.
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::NoLink { .. } | Self::Refused { .. } | Self::Unconfirmed { .. })
    }
}
