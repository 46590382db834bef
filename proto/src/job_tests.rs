use serde_json::json;

use super::*;

#[test]
fn the_smallest_job_is_complete() {
    let body = br#"{"action": "refine_text", "input": {"text": "Here are the fastest animals on earth: "}}"#;
    let job = Job::from_slice(body).unwrap();
    assert_eq!(
        job,
        Job::new("refine_text", Input::text("Here are the fastest animals on earth: "))
    );
}

#[test]
fn unknown_fields_are_ignored() {
    let body = br#"{"action": "a", "input": {"json": 1, "colour": 2}, "later": {"x": [1]}}"#;
    assert_eq!(Job::from_slice(body).unwrap(), Job::new("a", Input::Json(json!(1))));
}

#[test]
fn what_is_wrong_is_named() {
    let text = r#""action": "a", "input": {"text": "x"}"#;
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    for (body, field, problem) in [
        (String::new(), ".", "not a JSON object"),
        ("[]".into(), ".", "not a JSON object"),
        ("{".into(), ".", "EOF"),
        ("nonsense".into(), ".", "not a JSON object"),
        (r#"{"input": {"text": "x"}}"#.into(), "action", "name the action"),
        (r#"{"action": "a"}"#.into(), ".", "missing field `input`"),
        (r#"{"action": "a b", "input": {"text": "x"}}"#.into(), "action", "A-Z"),
        (
            r#"{"action": "a", "action": "b", "input": {"text": "x"}}"#.into(),
            "action",
            "duplicate field `action`",
        ),
        (
            format!(r#"{{{text}, "metadata": {{"k": 1, "k": 2}}}}"#),
            "metadata",
            "duplicate field `k`",
        ),
        (format!(r#"{{{text}, "timeout": "5"}}"#), "timeout", "unit"),
        (format!(r#"{{{text}, "timeout": "0s"}}"#), "timeout", "longer than nothing"),
        (format!(r#"{{{text}, "retry": {{"max_attempts": 0}}}}"#), "retry", "1 to 100"),
        (
            format!(r#"{{{text}, "retry": {{"max_attempts": -1}}}}"#),
            "retry.max_attempts",
            "invalid value",
        ),
        (
            format!(r#"{{{text}, "delay": "1s", "not_before": "2026-01-01T00:00:00Z"}}"#),
            "delay",
            "not both",
        ),
        (format!(r#"{{{text}, "deadline": "tomorrow"}}"#), "deadline", "RFC 3339"),
        (format!(r#"{{{text}, "notify": ["all"]}}"#), "notify[0]", "unknown variant"),
        (format!(r#"{{{text}, "reply": {{"topic": "x"}}}}"#), "reply", "`queue`"),
        (
            format!(r#"{{{text}, "metadata": {{"k": "{}"}}}}"#, "x".repeat(8200)),
            "metadata",
            "at most 8192",
        ),
        (format!("{{{text}}} more"), ".", "goes on after"),
        (
            format!(r#"{{"action": "a", "input": {{"json": {deep}}}}}"#),
            "input.json",
            "recursion limit",
        ),
    ] {
        let error = Job::from_slice(body.as_bytes()).unwrap_err();
        let shown: String = body.chars().take(90).collect();
        assert!(error.problem.contains(problem), "{shown}: {error}");
        assert!(
            error.field.starts_with(field) || error.field == ".",
            "{shown}: field {}",
            error.field
        );
    }
    assert!(Job::from_slice(b"{\"action\": \"\xff\"}").unwrap_err().problem.contains("UTF-8"));
}

proptest::proptest! {
    #[test]
    fn any_bytes_give_a_job_or_an_error(body in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let _ = Job::from_slice(&body);
    }

    #[test]
    fn a_written_job_reads_back(action in "[a-z_.]{1,20}", text in ".*", attempts in 1u32..100, seconds in 1u64..100_000) {
        let mut job = Job::new(action, Input::text(text));
        job.retry = Some(RetryOptions { max_attempts: Some(attempts), ..RetryOptions::default() });
        job.timeout = Some(Span(std::time::Duration::from_secs(seconds)));
        job.metadata.insert("n".into(), json!(seconds));
        let body = serde_json::to_vec(&job).unwrap();
        proptest::prop_assert_eq!(Job::from_slice(&body), Ok(job));
    }
}
