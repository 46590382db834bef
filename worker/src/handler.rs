//! The contract between the fleet and what executes an action.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use actionfleet_proto::{
    Code, Input, InputKind, Map, Output, ServiceResponse, Usage,
    definition::{ActionType, HttpAction},
};
use async_trait::async_trait;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use crate::progress::Progress;

use crate::definitions::Catalog;

/// Executes one kind of action.
///
/// One instance serves every job of its kind at once. [`Handler::handle`] is dropped at its next
/// await when the attempt's time is over, the job is cancelled or the worker stops; one that must
/// clean up watches [`Context::cancel`], which fires first. A panic is a failed attempt. The same
/// job may come twice: after a crash the queue delivers it again.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Unique in a fleet; what jobs name in `handler`. Never rename it: jobs outlive deployments.
    fn id(&self) -> &str;

    /// Whether this handler can execute the action. Asked in order of registration.
    fn supports(&self, action: &Action) -> bool;

    /// Executes the action once.
    async fn handle(&self, context: &Context) -> Result<Completion, HandlerError>;
}

/// What a job asks for.
#[derive(Debug, Clone)]
pub struct Action {
    pub identifier: String,
    /// `None` where the name stands in no definition: a handler of your own may know it.
    pub definition: Option<ActionDefinition>,
    pub input: InputKind,
}

#[derive(Debug, Clone)]
pub enum ActionDefinition {
    Type(Arc<ActionType>),
    Http(Arc<HttpAction>),
}

/// All that a handler may know of the job and touch of the fleet.
#[derive(Debug)]
pub struct Context {
    pub job_id: String,
    pub tenant: String,
    pub action: Action,
    /// From 1.
    pub attempt: u32,
    pub input: Arc<Input>,
    pub options: Arc<Options>,
    /// The end of this attempt.
    pub deadline: Instant,
    /// The largest output that fits a result, in bytes of JSON. A larger one fails the job; a
    /// handler that gathers its output from many calls stops paying for them there.
    pub output_bytes: usize,
    /// Fires when the job is cancelled, its time is over or the worker stops.
    pub cancel: CancellationToken,
    /// The definitions as they were when the job started.
    pub catalog: Arc<Catalog>,
    /// The W3C trace context to pass on to backends.
    pub trace: Trace,
    /// Where [`Context::progress`] goes.
    pub progress: Progress,
}

impl Context {
    /// What is left of this attempt.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Tells whoever wants the job's `progress` notifications how far it is: `done` of `total`, in
    /// the unit that `text` names. Best effort, and never waits. Of reports within half a second
    /// only the latest is told.
    pub fn progress(&self, done: u64, total: u64, text: impl Into<String>) {
        self.progress.report(done, total, text);
    }
}

/// The four option bags.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    pub runtime: Map,
    pub action_type: Map,
    pub handler: Map,
    pub system: Map,
}

/// W3C Trace Context, as the job brought it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    pub traceparent: Option<String>,
    pub tracestate: Option<String>,
}

/// A handler's success.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    pub output: Output,
    pub usage: Option<Usage>,
}

impl From<Output> for Completion {
    fn from(output: Output) -> Self {
        Self { output, usage: None }
    }
}

/// What the fleet shall do about a handler's error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// Trying again cannot help.
    Permanent,
    /// Trying again may help: after the given time, or by the policy's backoff.
    Retryable { after: Option<Duration> },
    /// Not tried at all: wait, and spend no attempt.
    Throttled { after: Duration },
}

/// A handler's failure: what the caller is told, and whether the fleet tries again.
///
/// The message goes to the caller: no secrets, no request headers.
#[derive(Debug, Clone, PartialEq)]
pub struct HandlerError {
    pub advice: Advice,
    pub code: Code,
    pub message: String,
    /// What is wrong with the input, by field.
    pub field_errors: BTreeMap<String, String>,
    /// The backend's name in the definitions.
    pub service: Option<String>,
    pub service_response: Option<ServiceResponse>,
}

impl HandlerError {
    fn new(advice: Advice, code: Code, message: impl Into<String>) -> Self {
        Self {
            advice,
            code,
            message: message.into(),
            field_errors: BTreeMap::new(),
            service: None,
            service_response: None,
        }
    }

    pub fn permanent(code: Code, message: impl Into<String>) -> Self {
        Self::new(Advice::Permanent, code, message)
    }

    pub fn retryable(code: Code, message: impl Into<String>) -> Self {
        Self::new(Advice::Retryable { after: None }, code, message)
    }

    pub fn throttled(code: Code, after: Duration, message: impl Into<String>) -> Self {
        Self::new(Advice::Throttled { after }, code, message)
    }

    /// As the code says: retried or not.
    pub fn of(code: Code, message: impl Into<String>) -> Self {
        if code.is_retryable() {
            Self::retryable(code, message)
        } else {
            Self::permanent(code, message)
        }
    }

    /// The input's fault, by field.
    pub fn invalid_input(field: impl Into<String>, problem: impl Into<String>) -> Self {
        let (field, problem) = (field.into(), problem.into());
        let mut error = Self::permanent(Code::InvalidInput, format!("{field}: {problem}"));
        error.field_errors.insert(field, problem);
        error
    }

    /// The wait that the backend asked for; only for retryable errors.
    pub fn after(mut self, wait: Option<Duration>) -> Self {
        if let Advice::Retryable { after } = &mut self.advice {
            *after = wait;
        }
        self
    }

    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    pub fn response(mut self, response: ServiceResponse) -> Self {
        self.service_response = Some(response);
        self
    }
}

impl fmt::Display for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for HandlerError {}
