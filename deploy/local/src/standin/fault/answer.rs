use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::header::{
    CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, RETRY_AFTER,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::name::{Fault, Fixed};
use super::sequence::Sequences;
use super::stream;
use crate::standin::BODY_LIMIT;
use crate::standin::connection::ResetSwitch;
use crate::standin::front::job_id;
use crate::standin::openai::{ApiError, completion};

const JSON: (HeaderName, &str) = (CONTENT_TYPE, "application/json");

/// Answers a request with a fault, or passes it on where the fault says so.
pub(in crate::standin) async fn meet(
    fault: Fault,
    sequences: &Sequences,
    request: Request,
    next: Next,
) -> Response {
    match fault {
        Fault::Status(status) => on_demand(status),
        Fault::Sequence(statuses) => in_sequence(sequences, &statuses, request, next).await,
        Fault::RetryAfter(value) => retry_later(RETRY_AFTER, value),
        Fault::RetryAfterMs(value) => retry_later(HeaderName::from_static("retry-after-ms"), value),
        Fault::Slow(delay) => {
            tokio::time::sleep(delay).await;
            next.run(request).await
        }
        Fault::Big(size) => ([JSON], stream::big(size)).into_response(),
        Fault::GzipBomb(size) => compressed(stream::json_string(size)),
        Fault::Gzip => match to_bytes(next.run(request).await.into_body(), BODY_LIMIT).await {
            Ok(body) => compressed(std::iter::once(body)),
            Err(_) => ApiError::too_large().into_response(),
        },
        Fault::Drip => ([JSON], stream::drip()).into_response(),
        Fault::Reset => reset(&request),
        Fault::Hang => std::future::pending().await,
        Fault::Redirect => (StatusCode::FOUND, [(LOCATION, "/v1/models")]).into_response(),
        Fault::Attachment => attachment(),
        Fault::Fixed(fixed) => always(fixed),
    }
}

fn always(fixed: Fixed) -> Response {
    let body = match fixed {
        Fixed::NoContent => return StatusCode::NO_CONTENT.into_response(),
        Fixed::ContextLengthExceeded => return ApiError::context_length_exceeded().into_response(),
        Fixed::InsufficientQuota => return ApiError::insufficient_quota().into_response(),
        Fixed::Empty => String::new(),
        Fixed::NotJson => "<html><body>Something went wrong</body></html>".to_owned(),
        Fixed::WrongShape => r#"{"answer":{"text":42}}"#.to_owned(),
        Fixed::NoChoices => completion::without_choices().to_string(),
        Fixed::EmptyContent => completion::of("", "stop").to_string(),
        Fixed::ContentFilter => completion::of("", "content_filter").to_string(),
    };
    ([JSON], body).into_response()
}

fn on_demand(status: StatusCode) -> Response {
    ApiError::on_demand(status).into_response()
}

async fn in_sequence(
    sequences: &Sequences,
    statuses: &[StatusCode],
    request: Request,
    next: Next,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return ApiError::too_large().into_response();
    };
    let key = job_id(&head.headers).map_or_else(|| fingerprint(&body), str::to_owned);
    let status = sequences.next(key, statuses);
    if status.is_success() {
        next.run(Request::from_parts(head, Body::from(body))).await
    } else {
        on_demand(status)
    }
}

/// Who asks, where no job says so.
fn fingerprint(body: &Bytes) -> String {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    format!("body {:x}", hasher.finish())
}

fn retry_later(name: HeaderName, value: HeaderValue) -> Response {
    let mut response = on_demand(StatusCode::TOO_MANY_REQUESTS);
    response.headers_mut().insert(name, value);
    response
}

fn compressed(mut chunks: impl Iterator<Item = Bytes>) -> Response {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written =
        chunks.try_for_each(|chunk| encoder.write_all(&chunk)).and_then(|()| encoder.finish());
    match written {
        Ok(body) => ([JSON, (CONTENT_ENCODING, "gzip")], body).into_response(),
        Err(_) => on_demand(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn reset(request: &Request) -> Response {
    let switch = request.extensions().get::<ConnectInfo<ResetSwitch>>();
    let switch = switch.map(|ConnectInfo(switch)| switch.clone()).unwrap_or_default();
    // a client that knows the length can tell a body that ends early from one that ends
    ([JSON, (CONTENT_LENGTH, "1000")], stream::cut_off(switch)).into_response()
}

fn attachment() -> Response {
    let headers = [
        (CONTENT_TYPE, "application/octet-stream"),
        (CONTENT_DISPOSITION, r#"attachment; filename="stand-in.bin""#),
    ];
    (headers, (0..=u8::MAX).collect::<Vec<_>>()).into_response()
}
