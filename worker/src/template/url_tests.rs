use proptest::prelude::*;
use serde_json::json;

use super::super::testing::{compile, render};

fn url(fields: serde_json::Value, arguments: serde_json::Value) -> String {
    render(fields, arguments).unwrap().request.url().to_string()
}

#[test]
fn values_stay_in_their_place() {
    for (value, encoded) in [
        (json!("plain-1._~"), "plain-1._~"),
        (json!("New York"), "New%20York"),
        (json!("a/b"), "a%2Fb"),
        (json!("../x"), "..%2Fx"),
        (json!("..\\x"), "..%5Cx"),
        (json!("a?b=1&c#d"), "a%3Fb%3D1%26c%23d"),
        (json!("50%"), "50%25"),
        (json!("%2e%2e"), "%252e%252e"),
        (json!("a\r\nHost: evil"), "a%0D%0AHost%3A%20evil"),
        (json!("Zürich 東京"), "Z%C3%BCrich%20%E6%9D%B1%E4%BA%AC"),
        (json!("{{ y }}"), "%7B%7B%20y%20%7D%7D"),
        (json!("a+b"), "a%2Bb"),
        (json!(1_000_000), "1000000"),
        (json!(20_251_121), "20251121"),
        (json!(0.00001), "0.00001"),
        (json!(true), "true"),
    ] {
        let arguments = json!({"x": value, "y": "never"});
        assert_eq!(
            url(json!({"url": "https://h.example/v1/{{ x }}/end"}), arguments.clone()),
            format!("https://h.example/v1/{encoded}/end")
        );
        assert_eq!(
            url(json!({"query": {"q": "{{ x }}", "r": "<{{ x }}>"}}), arguments),
            format!("https://api.example.com/?q={encoded}&r=%3C{encoded}%3E")
        );
    }
}

#[test]
fn a_segment_cannot_vanish_or_climb() {
    for (path, value, fails) in [
        ("/a/{{ x }}/b", ".", true),
        ("/a/{{ x }}/b", "..", true),
        ("/a/{{ x }}/b", "", true),
        ("/a/{{ x }}", "", true),
        ("/a/.{{ x }}", ".", true),
        ("/a/%2e{{ x }}", ".", true),
        ("/a/{{ x }}", "...", false),
        ("/a/{{ x }}.json", "", false),
        ("/a/{{ x }}", "..%2f", false),
    ] {
        let rendered =
            render(json!({"url": format!("https://h.example{path}")}), json!({"x": value}));
        assert_eq!(rendered.is_err(), fails, "{path} {value:?}");
        if let Err(error) = rendered {
            assert!(error.field_errors.contains_key("x"), "{error}");
        }
    }
}

#[test]
fn queries() {
    for (query, arguments, expected) in [
        (json!({"a": "x y", "b": 1, "c": true}), json!({}), "?a=x%20y&b=1&c=true"),
        (json!({"t": "{{ tags }}"}), json!({"tags": ["a b", 2]}), "?t=a%20b&t=2"),
        (json!({"t": "{{ tags }}"}), json!({"tags": []}), ""),
        (json!({"t": ["x", "{{ y }}"]}), json!({"y": "z"}), "?t=x&t=z"),
        (json!({"u": "{{ u | default(none) }}"}), json!({}), ""),
        (json!({"u": "{{ u | default('m') }}"}), json!({}), "?u=m"),
        (json!({"k&": "{{ secrets.API_KEY }}"}), json!({}), "?k%26=k%26y%3D1"),
        (json!({"p": 29.99, "e": ""}), json!({}), "?e=&p=29.99"),
    ] {
        let expected = format!("https://api.example.com/{expected}");
        assert_eq!(url(json!({"query": query}), arguments), expected);
    }
    let own = json!({"url": "https://h.example/s?v=1", "query": {"q": "{{ q }}"}});
    assert_eq!(url(own, json!({"q": "x"})), "https://h.example/s?v=1&q=x");
    for (query, arguments) in [
        (json!({"q": "{{ q }}"}), json!({"q": null})),
        (json!({"q": "{{ q }}"}), json!({"q": {"a": 1}})),
        (json!({"q": "{{ q }}"}), json!({"q": [null]})),
        (json!({"q": "x{{ q }}"}), json!({"q": [1]})),
    ] {
        assert!(render(json!({"query": query}), arguments).is_err());
    }
}

#[test]
fn scheme_and_host_are_fixed() {
    for (template, problem) in [
        ("https://{{ host }}/x", "fixed"),
        ("https://{{ host }}", "fixed"),
        ("https://api.{{ env }}.example/x", "fixed"),
        ("{{ scheme }}://h.example/x", "fixed"),
        ("https://h.example:{{ port }}/x", "fixed"),
        ("https://u:p@h.example/x", "secrets.NAME"),
        ("https://h.example/x?a={{ a }}", "`query`"),
        ("https://h.example/x#{{ a }}", "fragment"),
        ("https://h.example/{{ a", "not closed"),
        ("https://h.example/{% if a %}", "not supported"),
        ("https://h example/x", "not a URL"),
        ("/x", "must start with"),
    ] {
        let problems = compile(json!({"url": template})).unwrap_err();
        assert!(problems[0].starts_with("url: ") && problems[0].contains(problem), "{problems:?}");
    }
    for query in [json!({"a{{ b }}": 1}), json!({"a": null}), json!({"a": {"b": 1}})] {
        assert!(compile(json!({"query": query})).is_err(), "{query}");
    }
}

proptest! {
    #[test]
    fn any_text_arrives_intact_and_changes_nothing_else(text in "[\\x00-\\u{10ffff}]{1,40}") {
        prop_assume!(text != "." && text != "..");
        let fields = json!({
            "url": "https://h.example/a/{{ x }}/b", "query": {"q": "{{ x }}", "r": "1"}
        });
        let rendered = render(fields, json!({"x": text})).unwrap();
        let url = rendered.request.url();
        prop_assert_eq!(url.host_str(), Some("h.example"));
        let segments: Vec<_> = url.path_segments().unwrap().collect();
        prop_assert_eq!((segments.len(), segments[0], segments[2]), (3, "a", "b"));
        let decoded = percent_encoding::percent_decode_str(segments[1]).decode_utf8().unwrap();
        prop_assert_eq!(decoded, text.as_str());
        let pairs: Vec<_> = url.query_pairs().collect();
        prop_assert_eq!(pairs, vec![("q".into(), text.into()), ("r".into(), "1".into())]);
    }
}
