use std::time::Duration;

use serde_json::json;

use super::*;
use crate::handler::Advice;

fn refused(status: u16, body: &str) -> HandlerError {
    let status = StatusCode::from_u16(status).unwrap();
    refusal(status, &HeaderMap::new(), body.as_bytes(), &[], SystemTime::UNIX_EPOCH)
}

#[test]
fn the_table_of_statuses() {
    for (status, code) in [
        (204, Code::BackendInvalidResponse),
        (301, Code::BackendInvalidResponse),
        (304, Code::BackendInvalidResponse),
        (308, Code::BackendInvalidResponse),
        (400, Code::BackendRejected),
        (401, Code::BackendUnauthorized),
        (403, Code::BackendUnauthorized),
        (404, Code::BackendRejected),
        (408, Code::BackendTimeout),
        (413, Code::BackendRejected),
        (422, Code::BackendRejected),
        (425, Code::BackendRateLimited),
        (429, Code::BackendRateLimited),
        (499, Code::BackendRejected),
        (500, Code::BackendError),
        (502, Code::BackendError),
        (503, Code::BackendOverloaded),
        (504, Code::BackendError),
        (529, Code::BackendOverloaded),
        (599, Code::BackendError),
        (999, Code::BackendInvalidResponse),
    ] {
        let error = refused(status, "no");
        assert_eq!(error.code, code, "{status}");
        assert_eq!(error.advice != Advice::Permanent, code.is_retryable(), "{status}");
        assert_eq!(error.service_response.unwrap().status, status);
    }
}

#[test]
fn a_known_error_goes_before_the_status() {
    for (status, error, code) in [
        (429, json!({"code": "insufficient_quota"}), Code::BackendQuotaExhausted),
        (429, json!({"code": null, "type": "insufficient_quota"}), Code::BackendQuotaExhausted),
        (429, json!({"code": "rate_limit_exceeded"}), Code::BackendRateLimited),
        (400, json!({"code": "context_length_exceeded"}), Code::BackendContextTooLong),
        (400, json!({"code": "content_filter"}), Code::BackendContentFiltered),
        (400, json!({"code": "content_policy_violation"}), Code::BackendContentFiltered),
        (400, json!({"code": 1211}), Code::BackendRejected),
        (400, json!("insufficient_quota"), Code::BackendRejected),
        // the backend's own trouble, whatever it says
        (500, json!({"code": "content_filter"}), Code::BackendError),
    ] {
        assert_eq!(refused(status, &json!({"error": error}).to_string()).code, code, "{error}");
    }
}

#[test]
fn messages_say_what_happened() {
    for (status, message) in [
        (429, "the backend refused the call: 429 too many requests"),
        (502, "the backend failed: 502 bad gateway"),
        (529, "the backend failed: 529"),
        (302, "the backend answered with a redirect (302 found); redirects are not followed"),
        (204, "the backend answered 204 no content, which is not one of the success codes"),
    ] {
        assert_eq!(refused(status, "").message, message);
    }
}

#[test]
fn the_backend_says_when_to_come_again() {
    let headers: HeaderMap = [("retry-after", "7"), ("x-request-id", "req_1")]
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .into_iter()
        .collect();
    for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE] {
        let error = refusal(status, &headers, b"", &[], SystemTime::UNIX_EPOCH);
        assert_eq!(error.advice, Advice::Retryable { after: Some(Duration::from_secs(7)) });
        assert_eq!(error.service_response.unwrap().request_id.as_deref(), Some("req_1"));
    }
    let error = refusal(StatusCode::FORBIDDEN, &headers, b"", &[], SystemTime::UNIX_EPOCH);
    assert_eq!(error.advice, Advice::Permanent);
}

#[test]
fn bodies_are_shown_as_json_or_text_and_cut() {
    let shown = |body: &str| refused(422, body).service_response.unwrap().body;
    assert_eq!(shown(r#"{"detail": [1]}"#), json!({"detail": [1]}));
    assert_eq!(shown("<h1>no</h1>"), json!("<h1>no</h1>"));
    assert_eq!(shown(""), json!(""));
    for long in ["é".repeat(70_000), format!("[\"{}\"]", "x".repeat(70_000))] {
        assert!(shown(&long).to_string().len() <= SERVICE_BODY_MAX);
    }
    let wordy = json!({"error": {"message": "x".repeat(9_000), "code": "context_length_exceeded"}});
    assert_eq!(refused(400, &wordy.to_string()).code, Code::BackendContextTooLong);
}

proptest::proptest! {
    #[test]
    fn total(status in 100u16..1000, body: Vec<u8>) {
        let status = StatusCode::from_u16(status).unwrap();
        let error = refusal(status, &HeaderMap::new(), &body, &[], SystemTime::UNIX_EPOCH);
        proptest::prop_assert_eq!(error.advice != Advice::Permanent, error.code.is_retryable());
    }
}
