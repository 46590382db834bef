use actionfleet_proto::Code;
use serde_json::json;

use super::super::testing::{body, compile, render, secrets};
use super::*;
use crate::handlers::testing::context;

#[test]
fn headers_arrive_intact_or_not_at_all() {
    let fields = json!({"headers": {"X-City": "to {{ city }}"}});
    for city in ["Paris", "Zürich", "東京", "a,b;c=\"d\"", "{{ x }}", "a\tb"] {
        let rendered = render(fields.clone(), json!({"city": city})).unwrap();
        let value = rendered.request.headers()["x-city"].as_bytes();
        assert_eq!(value, format!("to {city}").as_bytes());
    }
    for city in ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "a\u{7f}b", "a\u{1b}b"] {
        let error = render(fields.clone(), json!({"city": city})).unwrap_err();
        assert_eq!(error.code, Code::InvalidInput);
        assert!(error.field_errors.contains_key("headers.x-city"), "{error}");
    }
}

#[test]
fn secrets_are_marked_and_remembered() {
    let rendered = render(
        json!({"headers": {"Authorization": "Bearer {{ secrets.API_KEY }}", "X-Plain": "x"}}),
        json!({}),
    )
    .unwrap();
    let headers = rendered.request.headers();
    assert!(headers["authorization"].is_sensitive() && !headers["x-plain"].is_sensitive());
    assert_eq!(headers["authorization"], "Bearer k&y=1");
    assert_eq!(rendered.secrets.len(), 1);
    assert!(!format!("{rendered:?}").contains("k&y"));
}

#[test]
fn the_content_type_is_json_unless_said_otherwise() {
    for (fields, content_type) in [
        (json!({"body": {}}), Some("application/json")),
        (json!({"body": {}, "headers": {"content-TYPE": "text/x"}}), Some("text/x")),
        (json!({}), None),
    ] {
        let rendered = render(fields, json!({})).unwrap();
        let found = rendered.request.headers().get(CONTENT_TYPE).map(|v| v.to_str().unwrap());
        assert_eq!(found, content_type);
    }
}

#[test]
fn all_problems_at_once() {
    let fields = json!({
        "url": "https://{{ x }}/", "query": {"a": null}, "body": {"b": "{{"},
        "headers": {"Host": "x", "bad name": "x", "X-A": "{{ | }}", "X-B": "a\nb"}
    });
    let problems = compile(fields).unwrap_err();
    for start in
        ["url: ", "query.a: ", "body.b: ", "headers.Host: ", "headers.bad name: ", "headers.X-A: "]
    {
        assert!(problems.iter().any(|problem| problem.starts_with(start)), "{problems:?}");
    }
    assert_eq!(problems.len(), 7);
}

#[test]
fn every_kind_of_input_has_arguments() {
    for (input, template, expected) in [
        (json!({"arguments": {"a": 1}}), "{{ a }}", json!(1)),
        (json!({"json": {"a": 1}}), "{{ a }}", json!(1)),
        (json!({"json": {"a": 1}}), "{{ arguments }}", json!({"a": 1})),
        (json!({"json": [1, 2]}), "{{ input }}", json!([1, 2])),
        (json!({"json": [1, 2]}), "{{ arguments.input[1] }}", json!(2)),
        (json!({"text": "t"}), "{{ text }}", json!("t")),
        (json!({"text": ["t", "u"]}), "{{ text }}", json!("t")),
        (json!({"text": ["t", "u"]}), "{{ texts }}", json!(["t", "u"])),
        (json!({"text": "t"}), "{{ texts }}", json!(["t"])),
        (json!({"text": "t"}), "{{ arguments }}", json!({"text": "t"})),
        (json!({"text": ["t", "u"]}), "{{ arguments.texts[1] }}", json!("u")),
    ] {
        let context = context(input);
        let secrets = secrets();
        let template = compile(json!({"body": template})).unwrap();
        let rendered = template.render(Scope::new(&context, &secrets)).unwrap();
        assert_eq!(body(&rendered), expected);
    }
}
