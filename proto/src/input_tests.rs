use serde_json::json;

use super::*;

fn read(value: Value) -> Result<Input, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[test]
fn one_or_many_becomes_a_list() {
    assert_eq!(read(json!({"text": "a"})), Ok(Input::text("a")));
    assert_eq!(read(json!({"text": ["a", "b"]})), Ok(Input::Text(vec!["a".into(), "b".into()])));
    assert_eq!(read(json!({"json": [1, {"x": null}]})), Ok(Input::Json(json!([1, {"x": null}]))));
}

#[test]
fn media_come_in_four_spellings() {
    let png = |data: &str| Media {
        source: MediaSource::Base64(data.into()),
        content_type: Some("image/png".into()),
    };
    for (wire, media) in [
        (json!("iVBO"), Media { source: MediaSource::Base64("iVBO".into()), content_type: None }),
        (json!("data:image/png;base64,iVBO"), png("iVBO")),
        (json!({"base64": "iVBO", "content_type": "image/png"}), png("iVBO")),
        (json!({"url": "data:image/png;base64,iVBO"}), png("iVBO")),
        (
            json!({"url": "https://example.com/a.png"}),
            Media {
                source: MediaSource::Url("https://example.com/a.png".into()),
                content_type: None,
            },
        ),
    ] {
        assert_eq!(read(json!({"image": wire})), Ok(Input::Image(vec![media])));
    }
}

#[test]
fn what_is_wrong_is_said() {
    for (wire, problem) in [
        (json!({}), "exactly one of"),
        (json!({"text": "a", "json": 1}), "exactly one of"),
        (json!({"text": []}), "empty list"),
        (json!({"text": 5}), "a value or a list"),
        (json!({"image": {"base64": "x", "url": "y"}}), "exactly one of `base64` and `url`"),
        (json!({"image": "data:image/png,raw"}), "only base64 data URLs"),
        (json!({"arguments": [1]}), "expected an object"),
    ] {
        let error = read(wire.clone()).unwrap_err();
        assert!(error.contains(problem), "{wire}: {error}");
    }
}

proptest::proptest! {
    #[test]
    fn written_then_read_is_the_same(texts in proptest::collection::vec(".*", 1..4)) {
        let input = Input::Text(texts);
        proptest::prop_assert_eq!(read(serde_json::to_value(&input).unwrap()), Ok(input));
    }
}
