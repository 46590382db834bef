//! One call: let through, sent, read within bounds, classified, counted.

use std::time::{Duration, SystemTime};

use actionfleet_proto::{Code, ServiceResponse};
use bytes::{Bytes, BytesMut};
use reqwest::{
    Response, StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use secrecy::SecretString;
use tokio::time::{Instant, timeout_at};

use super::{
    Backend,
    breaker::{Health, Permit},
    classify,
    metrics::BackendMetrics,
    redact::redacted,
};
use crate::handler::{Context, HandlerError};

const JOB_ID: HeaderName = HeaderName::from_static("x-actionfleet-job-id");
const ATTEMPT: HeaderName = HeaderName::from_static("x-actionfleet-attempt");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// A backend's answer, whole.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Those in the request.
    secrets: Vec<SecretString>,
}

impl Answer {
    /// What an error shows of it: no secrets of the request, and cut.
    pub fn service_response(&self) -> ServiceResponse {
        classify::service_response(self.status, &self.headers, &self.body, &self.secrets)
    }
}

/// A timeout in less time than this says nothing about the backend: a job may ask for as little as
/// it likes, and must not open the circuit for others.
const FAIR_TIME: Duration = Duration::from_secs(1);

/// A call that is let through. However it ends, also by being dropped, it is counted once.
struct InFlight<'a> {
    metrics: &'a BackendMetrics,
    permit: Option<Permit<'a>>,
    start: Instant,
    deadline: Instant,
}

impl InFlight<'_> {
    fn end(mut self, code: Option<Code>) {
        self.count(code);
    }

    fn count(&mut self, code: Option<Code>) {
        let Some(permit) = self.permit.take() else { return };
        let time = self.deadline.saturating_duration_since(self.start);
        let hurried = code == Some(Code::BackendTimeout) && time < FAIR_TIME;
        permit.settle(if hurried { Health::Unknown } else { health(code) });
        self.metrics.count(code, self.start.elapsed());
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        // who dropped the call may have seen the end of its time first
        let timed_out = Instant::now() >= self.deadline;
        self.count(Some(if timed_out { Code::BackendTimeout } else { Code::Cancelled }));
    }
}

/// What the end of a call says about the backend: one that refuses a call is well.
fn health(code: Option<Code>) -> Health {
    match code {
        Some(
            Code::BackendTimeout
            | Code::BackendUnreachable
            | Code::BackendError
            | Code::BackendOverloaded,
        ) => Health::Bad,
        Some(Code::Cancelled | Code::BlockedAddress | Code::Internal) => Health::Unknown,
        _ => Health::Good,
    }
}

/// Sends a request, which nobody has polled yet, and reads the answer. `accepts` says which status
/// is a success; `secrets` are those in the request, which the error must not show where the
/// backend echoes them.
pub(super) async fn call(
    backend: &Backend,
    request: impl Future<Output = reqwest::Result<Response>>,
    context: &Context,
    response_max: usize,
    accepts: impl Fn(StatusCode) -> bool,
    secrets: &[SecretString],
) -> Result<Answer, HandlerError> {
    let permit = backend.admit()?;
    let in_flight = InFlight {
        metrics: &backend.metrics,
        permit: Some(permit),
        start: Instant::now(),
        deadline: context.deadline,
    };
    let exchange = exchange(request, response_max, secrets);
    let outcome = timeout_at(context.deadline, exchange).await;
    let answer = outcome.unwrap_or_else(|_| {
        Err(HandlerError::of(Code::BackendTimeout, "the backend did not answer in time"))
    });
    let result = answer.and_then(|answer| {
        if accepts(answer.status) {
            return Ok(answer);
        }
        let Answer { status, headers, body, secrets } = answer;
        Err(classify::refusal(status, &headers, &body, &secrets, SystemTime::now()))
    });
    in_flight.end(result.as_ref().err().map(|error| error.code));
    result.map_err(|error| redacted(error, secrets).service(&*backend.name))
}

/// Lets the backend tell jobs, attempts and traces apart.
pub(super) fn identify(headers: &mut HeaderMap, context: &Context) {
    let mut insert = |name: HeaderName, value: &str| {
        // what is no header value came with the job; the call is worth more than its trace
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    insert(JOB_ID, &context.job_id);
    if let Some(traceparent) = &context.trace.traceparent {
        insert(TRACEPARENT, traceparent);
    }
    if let Some(tracestate) = &context.trace.tracestate {
        insert(TRACESTATE, tracestate);
    }
    headers.insert(ATTEMPT, HeaderValue::from(context.attempt));
}

async fn exchange(
    request: impl Future<Output = reqwest::Result<Response>>,
    max: usize,
    secrets: &[SecretString],
) -> Result<Answer, HandlerError> {
    let mut response = request.await.map_err(|error| classify::transport(&error))?;
    let body = read(&mut response, max).await?;
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    Ok(Answer { status, headers, body, secrets: secrets.to_vec() })
}

/// Most bodies are one chunk, which is handed on as it came.
async fn read(response: &mut Response, max: usize) -> Result<Bytes, HandlerError> {
    let too_large = || {
        HandlerError::of(
            Code::ResponseTooLarge,
            format!("the response is larger than limits.response_bytes, {max} bytes"),
        )
    };
    let announced = response.content_length();
    if announced.is_some_and(|length| usize::try_from(length).is_ok_and(|length| length > max)) {
        return Err(too_large());
    }
    let mut chunks = Chunks::Empty;
    while let Some(chunk) = response.chunk().await.map_err(|e| classify::transport(&e))? {
        if chunks.len() + chunk.len() > max {
            return Err(too_large());
        }
        chunks = chunks.with(chunk);
    }
    Ok(chunks.into())
}

enum Chunks {
    Empty,
    One(Bytes),
    Many(BytesMut),
}

impl Chunks {
    fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::One(chunk) => chunk.len(),
            Self::Many(buffer) => buffer.len(),
        }
    }

    fn with(self, chunk: Bytes) -> Self {
        match self {
            Self::Empty => Self::One(chunk),
            Self::One(first) => {
                let mut buffer = BytesMut::from(first);
                buffer.extend_from_slice(&chunk);
                Self::Many(buffer)
            }
            Self::Many(mut buffer) => {
                buffer.extend_from_slice(&chunk);
                Self::Many(buffer)
            }
        }
    }
}

impl From<Chunks> for Bytes {
    fn from(chunks: Chunks) -> Self {
        match chunks {
            Chunks::Empty => Self::new(),
            Chunks::One(chunk) => chunk,
            Chunks::Many(buffer) => buffer.freeze(),
        }
    }
}

#[cfg(test)]
#[path = "call_tests.rs"]
mod tests;
