use serde_json::json;

use super::*;

fn problems(value: Value) -> Vec<(String, String)> {
    let problems = decode(value).problems;
    problems.into_iter().map(|problem| (problem.field, problem.problem)).collect()
}

fn problem(value: Value, field: &str) -> String {
    let problems = problems(value);
    let found = problems.iter().find(|(name, _)| name == field);
    found.unwrap_or_else(|| panic!("{field} is not in {problems:?}")).1.clone()
}

#[test]
fn every_kind_decodes() {
    for (definition, identifier) in [
        (
            json!({
                "kind": "provider", "identifier": "openai", "base_url": "https://api.openai.com/v1",
                "api_key": "OPENAI_API_KEY", "default_model": "m",
                "models": {"m": {"max_tokens": 100, "price": {
                    "input_per_million": "0.15", "output_per_million": "0.6", "currency": "USD"
                }}}
            }),
            "openai",
        ),
        (
            json!({
                "kind": "action_type", "identifier": "summarize", "input": "text", "output": "text",
                "timeout": "30s", "retry": {"max_attempts": 3, "max_delay": "1m"}, "tenants": ["a"]
            }),
            "summarize",
        ),
        (
            json!({
                "kind": "http_action", "identifier": "get_weather", "method": "GET",
                "url": "https://api.example.com/{{ city }}", "query": {"a": [1, "x"]},
                "response": {"path": "a[0]", "missing": "null"}, "success_codes": [200]
            }),
            "get_weather",
        ),
    ] {
        let Decoded { definition, problems } = decode(definition);
        assert_eq!(problems, []);
        assert_eq!(definition.unwrap().identifier(), identifier);
    }
}

#[test]
fn unknown_keys_name_the_nearest_known_one() {
    let definition = json!({
        "kind": "http_action", "identifier": "a", "methd": "GET", "method": "GET",
        "url": "https://h.example/", "retry": {"max_attemps": 3}, "response": {"pathh": "a"},
        "zzz": 1, "query": {"anything": "goes"}
    });
    let found = problems(definition);
    for (field, hint) in [
        ("methd", "is not a known key; did you mean `method`?"),
        ("retry.max_attemps", "is not a known key; did you mean `max_attempts`?"),
        ("response.pathh", "is not a known key; did you mean `path`?"),
        ("response.path", "is required"),
        ("zzz", "is not a known key; known are "),
    ] {
        assert!(found.iter().any(|(f, p)| f == field && p.starts_with(hint)), "{field}: {found:?}");
    }
    assert_eq!(found.len(), 5, "{found:?}");
    let provider = json!({
        "kind": "provider", "identifier": "p", "base_url": "https://h.example", "default_model": "m",
        "models": {"m": {"labl": "x"}}
    });
    assert_eq!(problem(provider, "models.m.labl"), "is not a known key; did you mean `label`?");
}

#[test]
fn types_values_and_kinds() {
    for (definition, field, text) in [
        (json!([]), ".", "is not a definition"),
        (json!({}), "kind", "is required: one of provider, action_type, http_action"),
        (json!({"kind": "providr"}), "kind", "did you mean provider?"),
        (json!({"kind": 7}), "kind", "7 is not one of"),
        (json!({"kind": "provider"}), "base_url", "is required"),
        (json!({"kind": "http_action", "method": "FETCH"}), "method", "must be one of"),
        (json!({"kind": "http_action", "timeout": 30}), "timeout", "must be string, not number"),
        (
            json!({"kind": "http_action", "success_codes": ["200"]}),
            "success_codes[0]",
            "must be integer, not string",
        ),
        (json!({"kind": "action_type", "retry": 3}), "retry", "must be object, not number"),
    ] {
        let found = problem(definition.clone(), field);
        assert!(found.contains(text), "{definition}: {found}");
    }
    let definition = json!({
        "kind": "http_action", "identifier": "a b", "method": "GET", "url": "ftp://x", "body": {},
        "success_codes": [99], "retry": {"max_attempts": 0}
    });
    let found = problems(definition);
    for field in ["identifier", "url", "body", "success_codes", "retry"] {
        assert!(found.iter().any(|(name, _)| name == field), "{field}: {found:?}");
    }
    let timeout = json!({
        "kind": "http_action", "identifier": "a", "method": "GET", "url": "https://h.example/",
        "timeout": "30"
    });
    assert!(problem(timeout, "timeout").contains("is not a duration with a unit"));
}

#[test]
fn what_reads_is_read_beside_what_does_not() {
    let definition = json!({
        "kind": "http_action", "identifier": ["a"], "method": "FETCH", "query": {"q": 1},
        "retry": {"max_delay": "9", "max_dely": 9}, "timeout": "30", "success_codes": [99]
    });
    let Some(Definition::HttpAction(action)) = decode(definition.clone()).definition else {
        panic!("nothing is left of it");
    };
    assert_eq!((&action.query["q"], action.timeout, action.retry), (&json!(1), None, None));
    let provider = |fields: Value| {
        let mut provider = json!({"kind": "provider", "identifier": "p"});
        provider.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        provider
    };
    let url = "https://h.example";
    for (definition, expected) in [
        (
            definition,
            vec![
                "identifier",
                "method",
                "retry.max_delay",
                "retry.max_dely",
                "success_codes",
                "timeout",
                "url",
            ],
        ),
        (
            provider(json!({"base_url": 7, "default_temperature": 9})),
            vec!["base_url", "default_model", "default_temperature", "models"],
        ),
        (
            provider(json!({"base_url": "x", "models": {"m": 1}, "default_model": "m"})),
            vec!["base_url", "models.m"],
        ),
        (provider(json!({"base_url": url, "models": {"m": {}}})), vec!["default_model"]),
        (
            provider(json!({"base_url": url, "models": {"m": {"x": 1}}, "default_model": "n"})),
            vec!["default_model", "models.m.x"],
        ),
        (
            json!({"kind": "action_type", "identifier": "a b", "input": "txt"}),
            vec!["identifier", "input", "output"],
        ),
    ] {
        let mut found = problems(definition.clone());
        found.sort_unstable();
        let fields: Vec<_> = found.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, expected, "{found:?}");
        assert!(decode(definition).definition.is_some());
    }
}
