use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;

use super::Service;
use super::fault::{self, Fault};
use super::openai::ApiError;

/// Says for which job a request is made.
pub(super) const JOB_ID_HEADER: &str = "x-actionfleet-job-id";

/// Asks for a fault by its name, on any path.
const FAULT_HEADER: &str = "x-standin-fault";

const FAULT_PREFIX: &str = "/faults/";

/// Questions about the figures are not in the figures.
const UNCOUNTED: [&str; 3] = ["/count", "/calls", "/standin/stats"];

/// Every request passes here: it is counted, and meets the fault it asks for.
pub(super) async fn receive(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    if UNCOUNTED.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let counted = service.tally.begin(job_id(request.headers()));
    let response = match asked_fault(&request) {
        None => next.run(request).await,
        Some(Ok(fault)) => fault::meet(fault, &service.sequences, request, next).await,
        Some(Err(error)) => error.into_response(),
    };
    counted.end(response.status());
    response
}

pub(super) fn job_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(JOB_ID_HEADER)?.to_str().ok()
}

fn asked_fault(request: &Request) -> Option<Result<Fault, ApiError>> {
    let name = match request.uri().path().strip_prefix(FAULT_PREFIX) {
        Some(rest) => rest.split('/').next().unwrap_or_default(),
        None => request.headers().get(FAULT_HEADER)?.to_str().unwrap_or_default(),
    };
    let name = percent_decode_str(name).decode_utf8_lossy();
    Some(name.parse().map_err(|error: fault::UnknownFault| ApiError::not_found(error.to_string())))
}
