use std::io;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::stream;

use crate::standin::connection::ResetSwitch;

const DRIP_INTERVAL: Duration = Duration::from_millis(100);

const CHUNK: usize = 64 * 1024;

/// A JSON string of exactly this many bytes, in chunks.
pub(super) fn json_string(size: usize) -> impl Iterator<Item = Bytes> {
    let letters = size.saturating_sub(2);
    let full = Bytes::from(vec![b'x'; CHUNK]);
    let chunks = std::iter::repeat_n(full, letters / CHUNK);
    let rest = Bytes::from(vec![b'x'; letters % CHUNK]);
    let quote = || std::iter::once(Bytes::from_static(b"\""));
    quote().chain(chunks).chain(std::iter::once(rest)).chain(quote())
}

pub(super) fn big(size: usize) -> Body {
    Body::from_stream(stream::iter(json_string(size).map(Ok::<_, io::Error>)))
}

pub(super) fn drip() -> Body {
    Body::from_stream(stream::unfold((), |()| async {
        tokio::time::sleep(DRIP_INTERVAL).await;
        Some((Ok::<_, io::Error>(Bytes::from_static(b" ")), ()))
    }))
}

/// The beginning of an answer, and then the reset.
pub(super) fn cut_off(switch: ResetSwitch) -> Body {
    Body::from_stream(stream::unfold(Some(switch), |switch| async {
        let Some(switch) = switch else {
            // what was written goes out while this waits
            tokio::task::yield_now().await;
            return Some((Err(io::ErrorKind::ConnectionReset.into()), None));
        };
        switch.turn_on();
        Some((Ok::<_, io::Error>(Bytes::from_static(br#"{"id":"chatcmpl"#)), None))
    }))
}
