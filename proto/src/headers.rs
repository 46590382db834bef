//! AMQP header names of this contract.

pub const TRACEPARENT: &str = "traceparent";
pub const TRACESTATE: &str = "tracestate";
pub const TENANT: &str = "x-actionfleet-tenant";

/// When the job was put on the queue, RFC 3339 to the millisecond; the AMQP `timestamp`, to the
/// second, where absent.
pub const ENQUEUED_AT: &str = "x-actionfleet-enqueued-at";

/// On a copy that the fleet itself put back: a [`JobState`](crate::JobState) as JSON.
pub const STATE: &str = "x-actionfleet-state";

/// On dead letters.
pub const CODE: &str = "x-actionfleet-code";
pub const LANE: &str = "x-actionfleet-lane";
pub const ATTEMPT: &str = "x-actionfleet-attempt";
pub const JOB_ID: &str = "x-actionfleet-job-id";
pub const FAILED_AT: &str = "x-actionfleet-failed-at";
pub const ACTION: &str = "x-actionfleet-action";
/// On dead letters: the error as JSON.
pub const ERROR: &str = "x-actionfleet-error";
