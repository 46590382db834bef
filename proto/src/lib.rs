//! The contract between producers, workers and the broker: messages, error codes, action
//! types and the topology as data. No I/O and no runtime, so that any client can link it.

mod bounds;
mod code;
mod control;
pub mod definition;
mod delay;
mod error;
pub mod headers;
mod ibexa;
mod input;
mod job;
mod names;
mod notification;
mod report;
mod result;
mod retry;
pub mod schema;
mod state;
mod strict;
mod time;
mod topology;

pub use bounds::{
    ERROR_MAX, MESSAGE_MAX, SERVICE_BODY_MAX, SERVICE_RESPONSE_MAX, TRUNCATED, cut_text, cut_value,
};
pub use code::{Code, Kind, Retried};
pub use control::Control;
pub use delay::{DELAY_LEVELS, DELAY_MAX, DelayRoute};
pub use error::{ErrorBody, Next, ServiceResponse};
pub use input::{Input, InputKind, Media, MediaSource};
pub use job::{ActionContext, InvalidJob, Job, Map, NotifyOn, Reply};
pub use names::{
    InvalidName, check_definition_identifier, check_identifier, check_job_id, check_lane,
    new_job_id, routing_word,
};
pub use notification::{Level, Notification, NotificationStatus, Progress};
pub use report::{LaneReport, WorkerReport};
pub use result::{
    Attempt, AttemptOutcome, Cost, File, FileContent, JobResult, JobResultRef, NOTIFICATION_TYPE,
    Output, RESULT_TYPE, Status, Timing, Usage,
};
pub use retry::{RetryOptions, RetryPolicy};
pub use state::JobState;
pub use strict::{StrictValue, strict_value};
pub use time::{Span, Timestamp};
pub use topology::{
    Argument, Binding, Destination, Exchange, ExchangeKind, Names, Queue, Topology,
};
