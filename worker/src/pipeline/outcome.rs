//! The closed set of outcomes, and the one table of what each means.

use std::time::Duration;

use actionfleet_proto::{Code, Cost, ErrorBody, JobResult, Next, Status};
use actionfleet_store::{Claim, Outcome as Recorded};

use super::Subject;
use crate::{handler::Completion, json_bytes::json_bytes, running::Entered};

/// What became of one delivery.
#[derive(Debug)]
pub(crate) enum Outcome {
    Succeeded(Completion),
    /// Trying again cannot help.
    Failed(ErrorBody),
    /// The attempt failed; the next one comes after the delay.
    RetryLater {
        delay: Duration,
        error: ErrorBody,
    },
    /// The last attempt failed.
    Exhausted(ErrorBody),
    /// A limit of ours; no attempt was spent.
    Throttled {
        delay: Duration,
        error: ErrorBody,
    },
    /// It came before its time.
    Scheduled {
        delay: Duration,
    },
    /// Not started, and never will be.
    Refused(ErrorBody),
    Cancelled(ErrorBody),
    Expired(ErrorBody),
    /// The worker stops.
    Interrupted,
    /// The body does not read.
    Poison(ErrorBody),
    /// The link that brought it is gone, and the job comes again.
    Lost,
    /// The job had its outcome before: it is published again, and nothing is executed.
    Replayed(Box<Replay>),
    /// Another delivery of the same job is being executed.
    Busy {
        delay: Duration,
    },
    /// Another delivery has taken the job over.
    Superseded,
}

/// An outcome from the ledger.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) recorded: Recorded,
    error: Option<ErrorBody>,
    /// Whether a crash may have come between the record and the dead letter.
    bury: bool,
}

/// An outcome with all that is needed to tell the world of it.
#[derive(Debug)]
pub(crate) struct Conclusion {
    pub(crate) subject: Subject,
    pub(crate) outcome: Outcome,
    /// By which the ledger knows who executes the job.
    pub(crate) claim: Option<Box<Claim>>,
    /// Of a job that was started.
    #[expect(dead_code, reason = "held, not read")]
    pub(crate) running: Option<Entered>,
}

impl Conclusion {
    pub(crate) fn new(subject: Subject, outcome: Outcome) -> Self {
        Self { subject, outcome, claim: None, running: None }
    }

    /// An output that makes the result larger than the broker may take is an error.
    pub(crate) fn bound(&mut self, most: usize) {
        let Outcome::Succeeded(completion) = &self.outcome else { return };
        let size = json_bytes(&completion.output);
        if size > most {
            let message =
                format!("the output has {size} bytes of JSON; at most {most} fit a result");
            let error = describe(&self.subject, ErrorBody::new(Code::ResponseTooLarge, message));
            self.outcome = Outcome::Failed(error).with_next();
        }
    }

    /// Boxed, for the error side of the stages.
    pub(crate) fn early(subject: Subject, outcome: Outcome) -> Box<Self> {
        Box::new(Self::new(subject, outcome))
    }
}

/// Where the message itself goes, as a fresh copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Onward {
    Nowhere,
    DeadLetters,
    /// The delay ladder; `attempt` is added to the attempt's number.
    Ladder {
        delay: Duration,
        attempt: u32,
    },
    Lane,
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    /// In metrics and logs.
    pub(crate) name: &'static str,
    /// The result's status, where one is published.
    pub(crate) reply: Option<Status>,
    pub(crate) onward: Onward,
    /// Whether the delivery is acked.
    pub(crate) ack: bool,
}

impl Outcome {
    pub(crate) fn route(&self) -> Route {
        let route = |name, reply, onward| Route { name, reply, onward, ack: true };
        let ladder = |delay: &Duration, attempt| Onward::Ladder { delay: *delay, attempt };
        match self {
            Self::Succeeded(_) => route("succeeded", Some(Status::Succeeded), Onward::Nowhere),
            Self::Failed(_) => route("failed", Some(Status::Failed), Onward::DeadLetters),
            Self::RetryLater { delay, .. } => route("retry_later", None, ladder(delay, 1)),
            Self::Exhausted(_) => route("exhausted", Some(Status::Failed), Onward::DeadLetters),
            Self::Throttled { delay, .. } => route("throttled", None, ladder(delay, 0)),
            Self::Scheduled { delay } => route("scheduled", None, ladder(delay, 0)),
            Self::Refused(_) => route("refused", Some(Status::Failed), Onward::Nowhere),
            Self::Cancelled(_) => route("cancelled", Some(Status::Cancelled), Onward::Nowhere),
            Self::Expired(_) => route("expired", Some(Status::Expired), Onward::Nowhere),
            Self::Interrupted => route("interrupted", None, Onward::Lane),
            Self::Poison(_) => route("poison", Some(Status::Failed), Onward::DeadLetters),
            Self::Replayed(replay) => {
                let onward = if replay.bury { Onward::DeadLetters } else { Onward::Nowhere };
                route("replayed", Some(replay.recorded.status), onward)
            }
            Self::Busy { delay } => route("busy", None, ladder(delay, 0)),
            Self::Superseded => route("superseded", None, Onward::Nowhere),
            Self::Lost => Route { ack: false, ..route("lost", None, Onward::Nowhere) },
        }
    }

    pub(crate) fn error(&self) -> Option<&ErrorBody> {
        match self {
            Self::Failed(error)
            | Self::RetryLater { error, .. }
            | Self::Exhausted(error)
            | Self::Throttled { error, .. }
            | Self::Refused(error)
            | Self::Cancelled(error)
            | Self::Expired(error)
            | Self::Poison(error) => Some(error),
            Self::Replayed(replay) => replay.error.as_ref(),
            Self::Succeeded(_)
            | Self::Scheduled { .. }
            | Self::Busy { .. }
            | Self::Superseded
            | Self::Interrupted
            | Self::Lost => None,
        }
    }

    /// What was paid for it.
    pub(crate) fn cost(&self) -> Option<&Cost> {
        match self {
            Self::Succeeded(completion) => completion.usage.as_ref()?.cost.as_ref(),
            _ => None,
        }
    }

    /// `again` is for the delivery that may have come to the outcome, or a later one of it: its
    /// dead letter is not known to be there.
    pub(crate) fn replayed(recorded: Recorded, again: bool) -> Self {
        let bury = recorded.dead_lettered && again;
        let result = || serde_json::from_slice::<JobResult>(&recorded.result).ok()?.error;
        let error = (recorded.status != Status::Succeeded).then(result).flatten();
        Self::Replayed(Box::new(Replay { recorded, error, bury }))
    }

    pub(crate) fn refused(subject: &Subject, code: Code, message: impl Into<String>) -> Self {
        Self::Refused(describe(subject, ErrorBody::new(code, message)))
    }

    pub(crate) fn expired(subject: &Subject, message: impl Into<String>) -> Self {
        Self::Expired(describe(subject, ErrorBody::new(Code::DeadlineExceeded, message)))
    }

    pub(crate) fn cancelled(subject: &Subject) -> Self {
        let error = ErrorBody::new(Code::Cancelled, "the job was cancelled on request");
        Self::Cancelled(describe(subject, error))
    }

    /// Says in the error itself where the message went.
    pub(crate) fn with_next(mut self) -> Self {
        let next = match self.route().onward {
            Onward::DeadLetters => Next::DeadLettered,
            Onward::Ladder { .. } => Next::Retrying,
            Onward::Nowhere | Onward::Lane => Next::Discarded,
        };
        match &mut self {
            Self::Failed(error)
            | Self::RetryLater { error, .. }
            | Self::Exhausted(error)
            | Self::Throttled { error, .. }
            | Self::Poison(error) => error.next = next,
            _ => {}
        }
        self
    }
}

/// Names the job's action and handler in its error.
pub(crate) fn describe(subject: &Subject, mut error: ErrorBody) -> ErrorBody {
    error.action.clone_from(&subject.action);
    error.handler.clone_from(&subject.handler);
    error.bounded()
}
