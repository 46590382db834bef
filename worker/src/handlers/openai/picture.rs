//! Pictures as the API takes them: by URL, or whole in a data URL (RFC 2397).

use actionfleet_proto::{Media, MediaSource};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Encoders disagree about padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The error says what is wrong with the picture and the way out.
pub(super) fn data_url(picture: &Media) -> Result<String, &'static str> {
    let data = match &picture.source {
        MediaSource::Url(url) => return Ok(url.clone()),
        MediaSource::Base64(data) => data,
    };
    // MIME breaks lines
    let data: String = data.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = BASE64.decode(&data).map_err(|_| "is not base64 (RFC 4648)")?;
    if bytes.is_empty() {
        return Err("is empty");
    }
    let content_type = match picture.content_type.as_deref() {
        Some(content_type) if content_type.starts_with("image/") && is_plain(content_type) => {
            content_type
        }
        Some(_) => return Err("has a content_type that is not that of an image"),
        None => sniff(&bytes).ok_or("is no PNG, JPEG, GIF or WebP; give its content_type")?,
    };
    Ok(format!("data:{content_type};base64,{data}"))
}

fn is_plain(content_type: &str) -> bool {
    content_type.chars().all(|c| c.is_ascii_alphanumeric() || "/+-.".contains(c))
}

/// By the first bytes (<https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern>).
fn sniff(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use actionfleet_proto::Input;
    use serde_json::json;

    use super::*;

    fn url(media: impl serde::Serialize) -> Result<String, &'static str> {
        match serde_json::from_value(json!({"image": media})).unwrap() {
            Input::Image(pictures) => data_url(&pictures[0]),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn pictures_of_all_kinds() {
        let encode = |bytes: &[u8]| BASE64.encode(bytes);
        for (bytes, content_type) in [
            (b"\x89PNG\r\n\x1a\nxx".as_slice(), "image/png"),
            (b"\xff\xd8\xff\xe0xx", "image/jpeg"),
            (b"GIF89axx", "image/gif"),
            (b"RIFF1234WEBPxx", "image/webp"),
        ] {
            let data = encode(bytes);
            let expected = format!("data:{content_type};base64,{data}");
            assert_eq!(url(&data).unwrap(), expected);
            let padless = data.trim_end_matches('=');
            assert!(url(padless).unwrap().ends_with(padless));
            let (first, second) = data.split_at(4);
            assert_eq!(url(format!("{first}\r\n{second}\n")).unwrap(), expected);
        }
        assert_eq!(url("data:image/avif;base64,AAAA").unwrap(), "data:image/avif;base64,AAAA");
        assert_eq!(
            url(json!({"url": "https://h.example/a.png"})).unwrap(),
            "https://h.example/a.png"
        );
    }

    #[test]
    fn what_is_no_picture() {
        for (media, problem) in [
            (json!("not base64!"), "is not base64"),
            (json!(""), "is empty"),
            (json!("AAAA"), "is no PNG"),
            (json!({"base64": "AAAA", "content_type": "text/html"}), "content_type"),
            (json!({"base64": "AAAA", "content_type": "image/x,\"y"}), "content_type"),
        ] {
            assert!(url(media).unwrap_err().contains(problem));
        }
    }
}
