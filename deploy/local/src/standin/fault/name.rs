use std::str::FromStr;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode};
use thiserror::Error;

/// The largest body made on demand.
const MAX_SIZE: usize = 1 << 30;

/// One fault, as `/faults/<name>` and the header `x-standin-fault` name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::standin) enum Fault {
    /// `status-503`
    Status(StatusCode),
    /// `sequence-500-500-200`: one after the other for each job, the last one for ever. A 2xx
    /// passes the request on.
    Sequence(Vec<StatusCode>),
    /// `retry-after-VALUE`: 429 with that Retry-After, whatever it says.
    RetryAfter(HeaderValue),
    /// `retry-after-ms-VALUE`: 429 with that retry-after-ms.
    RetryAfterMs(HeaderValue),
    /// `slow-MILLISECONDS`: late, then as asked for.
    Slow(Duration),
    /// `big-BYTES`: a JSON string of that size, its length not announced.
    Big(usize),
    /// `gzip-BYTES`: a JSON string of that size that is a thousand times smaller on the wire.
    GzipBomb(usize),
    /// `gzip`: as asked for, compressed whether the client accepts it or not.
    Gzip,
    /// `drip`: a byte every 100 ms, without end.
    Drip,
    /// `reset`: the connection is reset in the middle of the body.
    Reset,
    /// `hang`: no answer, ever.
    Hang,
    /// `redirect`: 302 to `/v1/models`.
    Redirect,
    /// `attachment`: bytes that are no text, with a file name.
    Attachment,
    /// The others are bodies that are always the same.
    Fixed(Fixed),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::standin) enum Fixed {
    /// `empty`: 200 and no body.
    Empty,
    /// `no-content`: 204.
    NoContent,
    /// `not-json`: 200, says that it is JSON, is HTML.
    NotJson,
    /// `wrong-shape`: 200, JSON of another shape.
    WrongShape,
    /// `no-choices`: a completion with an empty list.
    NoChoices,
    /// `empty-content`: a completion with an empty text.
    EmptyContent,
    /// `content-filter`: a completion that was filtered.
    ContentFilter,
    /// `context-length-exceeded`: 400 as for a prompt that is too long.
    ContextLengthExceeded,
    /// `insufficient-quota`: 429 as for an account without money.
    InsufficientQuota,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{name:?} is no fault: {problem}")]
pub(in crate::standin) struct UnknownFault {
    name: String,
    problem: &'static str,
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        simple(name)
            .map_or_else(|| with_value(name), Ok)
            .map_err(|problem| UnknownFault { name: name.to_owned(), problem })
    }
}

fn simple(name: &str) -> Option<Fault> {
    Some(match name {
        "gzip" => Fault::Gzip,
        "drip" => Fault::Drip,
        "reset" => Fault::Reset,
        "hang" => Fault::Hang,
        "redirect" => Fault::Redirect,
        "attachment" => Fault::Attachment,
        "empty" => Fault::Fixed(Fixed::Empty),
        "no-content" => Fault::Fixed(Fixed::NoContent),
        "not-json" => Fault::Fixed(Fixed::NotJson),
        "wrong-shape" => Fault::Fixed(Fixed::WrongShape),
        "no-choices" => Fault::Fixed(Fixed::NoChoices),
        "empty-content" => Fault::Fixed(Fixed::EmptyContent),
        "content-filter" => Fault::Fixed(Fixed::ContentFilter),
        "context-length-exceeded" => Fault::Fixed(Fixed::ContextLengthExceeded),
        "insufficient-quota" => Fault::Fixed(Fixed::InsufficientQuota),
        _ => return None,
    })
}

fn with_value(name: &str) -> Result<Fault, &'static str> {
    if let Some(value) = name.strip_prefix("status-") {
        status(value).map(Fault::Status)
    } else if let Some(values) = name.strip_prefix("sequence-") {
        values.split('-').map(status).collect::<Result<_, _>>().map(Fault::Sequence)
    } else if let Some(value) = name.strip_prefix("retry-after-ms-") {
        header(value).map(Fault::RetryAfterMs)
    } else if let Some(value) = name.strip_prefix("retry-after-") {
        header(value).map(Fault::RetryAfter)
    } else if let Some(value) = name.strip_prefix("slow-") {
        let milliseconds = value.parse().map_err(|_| "slow-N waits N milliseconds")?;
        Ok(Fault::Slow(Duration::from_millis(milliseconds)))
    } else if let Some(value) = name.strip_prefix("big-") {
        size(value).map(Fault::Big)
    } else if let Some(value) = name.strip_prefix("gzip-") {
        size(value).map(Fault::GzipBomb)
    } else {
        Err("there is none of this name")
    }
}

fn status(value: &str) -> Result<StatusCode, &'static str> {
    value
        .parse()
        .ok()
        .filter(|status: &StatusCode| (200..600).contains(&status.as_u16()))
        .ok_or("a status goes from 200 to 599")
}

fn header(value: &str) -> Result<HeaderValue, &'static str> {
    HeaderValue::from_str(value).map_err(|_| "the value cannot be in a header")
}

fn size(value: &str) -> Result<usize, &'static str> {
    value
        .parse()
        .ok()
        .filter(|size| (2..=MAX_SIZE).contains(size))
        .ok_or("a size goes from 2 bytes to 1 GiB")
}
