//! Pictures and sounds from files.

use std::{fs, path::Path};

use actionfleet_proto::{Media, MediaSource};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::exit::{Exit, Failure};

/// A file, carried in the job, or a URL, which the worker or the backend fetches.
pub(super) fn media(of: &str, max: usize) -> Result<Media, Failure> {
    if of.starts_with("https://") || of.starts_with("http://") {
        return Ok(Media { source: MediaSource::Url(of.to_owned()), content_type: None });
    }
    let path = Path::new(of);
    let size = fs::metadata(path).map(|file| file.len());
    if size.is_ok_and(|size| size / 3 * 4 > u64::try_from(max).unwrap_or(u64::MAX)) {
        let problem = format!("{of}: too large for a job of {max} bytes; give it as a URL");
        return Err(Failure::message(Exit::Data, problem));
    }
    let bytes = fs::read(path)
        .map_err(|error| Failure::message(Exit::NoInput, format!("{of}: {error}")))?;
    let content_type = content_type(path).map(str::to_owned);
    Ok(Media { source: MediaSource::Base64(STANDARD.encode(bytes)), content_type })
}

/// By the name's ending; the worker looks at the content where there is none.
fn content_type(path: &Path) -> Option<&'static str> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match ending.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "bmp" => "image/bmp",
        "svg" => "image/svg+xml",
        "avif" => "image/avif",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "flac" => "audio/flac",
        "m4a" => "audio/mp4",
        "webm" => "audio/webm",
        _ => return None,
    })
}
