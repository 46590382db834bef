use std::time::SystemTime;

use actionfleet_proto::{Code, ErrorBody};
use proptest::prelude::*;
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::json;

use super::*;
use crate::backend::{refusal, service_response};

fn redaction(secrets: &[&str]) -> Redaction {
    let secrets: Vec<SecretString> = secrets.iter().map(|text| (*text).into()).collect();
    Redaction::of(&secrets)
}

#[test]
fn every_form_of_every_secret() {
    for (secrets, text, shown) in [
        (&["hunter2"][..], "is hunter2, hunter2hunter2", "is [redacted], [redacted][redacted]"),
        (&["hunter2"], "hunter", "hunter"),
        (&[], "hunter2", "hunter2"),
        (&[""], "hunter2", "hunter2"),
        (&["hunter2", "hunter2-long"], "a hunter2-long b hunter2", "a [redacted] b [redacted]"),
        (&["abcdef", "defghi"], "xabcdefghix", "x[redacted]x"),
        (&["red"], "bored", "bo[redacted]"),
        (&["k&y=1"], "GET /?key=k%26y%3D1&a", "GET /?key=[redacted]&a"),
        (&["k/é"], "?K%2F%C3 ?k%2f%c3%a9 ?k%2F%C3%A9", "?K%2F%C3 ?[redacted] ?[redacted]"),
        (
            &["a/\"b"],
            r#"{"key": "a/\"b", "also": "a\/\"b"}"#,
            r#"{"key": "[redacted]", "also": "[redacted]"}"#,
        ),
        (&["<a&'b>"], "<p>&lt;a&amp;&#39;b&gt;</p>", "<p>[redacted]</p>"),
    ] {
        assert_eq!(redaction(secrets).text(text), shown, "{secrets:?}");
    }
}

#[test]
fn keys_texts_and_numbers_at_any_depth() {
    let value = json!({"k": [{"12345678": "a 12345678"}, 12_345_678, 0.123_456_78, true, null, 7]});
    let shown =
        json!({"k": [{"[redacted]": "a [redacted]"}, "[redacted]", "0.[redacted]", true, null, 7]});
    assert_eq!(redaction(&["12345678"]).value(value), shown);
}

#[test]
fn an_error_shows_nothing_anywhere() {
    let mut error = HandlerError::invalid_input("url", "hunter2 is no URL");
    error.message = "the model refused: I know hunter2".into();
    let shown = redacted(error, &["hunter2".into()]);
    assert_eq!(shown.message, "the model refused: I know [redacted]");
    assert_eq!(shown.field_errors["url"], "[redacted] is no URL");
}

#[test]
fn a_secret_that_the_beginning_of_a_body_ends_in_is_left_out() {
    let redaction = redaction(&["hunter2"]);
    assert_eq!(redaction.beginning("0123456789 hunter"), "0123456789 ");
    assert_eq!(redaction.beginning("hunter2 é0123456"), "[redacted] é0");
    assert_eq!(redaction.beginning("is hunter2"), "is [redacted]");
    assert_eq!(redaction.beginning("is é12345"), "is ");
    assert_eq!(redaction.beginning("hunt"), "");

    // so much is hidden of it that the end of what was read is shown
    let secret = "K".repeat(1_500) + "L";
    let (status, secrets) = (StatusCode::BAD_REQUEST, [SecretString::from(secret.as_str())]);
    let body = secret.repeat(1_000);
    let response = service_response(status, &HeaderMap::new(), body.as_bytes(), &secrets);
    let shown = response.body.as_str().unwrap();
    assert!(shown.starts_with("[redacted]") && !shown.contains('K'), "{shown}");
}

/// Where an answer can repeat a secret: in its body, by the number, or in its request id.
fn repeated(shape: u8, secret: &str, before: usize, after: usize) -> (String, String) {
    let (before, after) = ("x".repeat(before), "y".repeat(after));
    let body = match shape {
        0 => json!(format!("{before}{secret}{after}")).to_string(),
        1 => json!({"a": before, format!("{secret}{after}"): 1}).to_string(),
        2 => json!({"error": {"message": format!("{before}{secret}{after}")}}).to_string(),
        3 => json!([before, [secret, after]]).to_string(),
        4 => format!("<p>{before}{secret}{after}"),
        5 => format!("{{\"broken\": \"{before}\", \"key\": {}{after}", json!(secret)),
        6 => format!("GET {before}?{}{after}", utf8_percent_encode(secret, RESERVED)),
        _ => json!({"text": json!({"key": format!("{before}{secret}{after}")}).to_string()})
            .to_string(),
    };
    (body, format!("{}{secret}", "z".repeat(before.len() % 120)))
}

fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(map) => map.iter().for_each(|(key, item)| {
            found.push(key.clone());
            texts(item, found);
        }),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn nothing_of_a_secret_survives_wherever_it_is_cut(
        secret in "[A-Z0-9]{8}[A-Z0-9/+=\"\\\\&<É€ ]{0,60}",
        shape in 0u8..8,
        before in prop_oneof![0usize..100, 3_500usize..4_100, 65_300usize..65_600],
        after in prop_oneof![Just(0usize), 0usize..5_000, Just(70_000)],
    ) {
        let (body, request_id) = repeated(shape, &secret, before, after);
        let mut headers = HeaderMap::new();
        if let Ok(value) = request_id.parse() {
            headers.insert("x-request-id", value);
        }
        let secrets = ["other".into(), SecretString::from(secret.as_str())];
        let status = StatusCode::BAD_REQUEST;
        let error = refusal(status, &headers, body.as_bytes(), &secrets, SystemTime::UNIX_EPOCH);
        let mut shown = ErrorBody::new(Code::BackendRejected, error.message);
        shown.service_response = error.service_response;
        let mut found = Vec::new();
        texts(&serde_json::to_value(shown.bounded()).unwrap(), &mut found);
        prop_assert!(found.len() > 3);
        let start = secret.get(..8).unwrap();
        for text in found {
            prop_assert!(!text.contains(start), "{shape}, {} bytes of {}", text.len(), body.len());
        }
    }
}
