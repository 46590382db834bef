use std::collections::BTreeMap;

use serde_json::json;

use super::*;

fn read(options: Value) -> Result<ChatOptions, HandlerError> {
    ChatOptions::read(&serde_json::from_value(options).unwrap())
}

fn provider() -> Provider {
    serde_json::from_value(json!({
        "kind": "provider", "identifier": "p", "base_url": "https://h.example",
        "default_model": "small", "default_max_tokens": 80,
        "models": {"small": {"max_tokens": 100}, "tiny": {"max_tokens": 50}, "free": {}}
    }))
    .unwrap()
}

#[test]
fn all_of_them() {
    let options = read(json!({
        "provider": "p", "model": "m", "prompt": "do", "system_prompt": null, "temperature": 2,
        "max_tokens": 7, "extra": {"seed": 1}
    }))
    .unwrap();
    assert_eq!(options.temperature, Some(2.0));
    assert_eq!((options.max_tokens, options.system_prompt), (Some(7), None));
    assert_eq!(options.extra["seed"], 1);
}

#[test]
fn all_problems_at_once() {
    let error = read(json!({
        "model": 3, "temperature": 2.1, "max_tokens": 0, "modle": "m", "zzz": 1,
        "extra": {"messages": [], "temperature": 1, "seed": 1}
    }))
    .unwrap_err();
    let expected = [
        ("extra.messages", "is the handler's own; leave it out"),
        ("extra.temperature", "is the handler's own; use the option of that name"),
        ("max_tokens", "must be a whole number from 1"),
        ("model", "must be a text"),
        ("modle", "is not known; did you mean model?"),
        ("temperature", "must be a number from 0 to 2"),
        (
            "zzz",
            "is not known; there are provider, model, prompt, system_prompt, temperature, \
             max_tokens, extra; others go into extra",
        ),
    ];
    let expected: BTreeMap<_, _> = expected
        .map(|(field, problem)| (format!("action_handler_options.{field}"), problem.to_owned()))
        .into();
    assert_eq!(error.field_errors, expected);
}

#[test]
fn models_and_their_limits() {
    let provider = provider();
    for (options, model, limit) in [
        (json!({}), "small", Some(80)),
        (json!({"max_tokens": 100}), "small", Some(100)),
        (json!({"model": "tiny"}), "tiny", Some(50)),
        (json!({"model": "free", "max_tokens": 9000}), "free", Some(9000)),
        (json!({"extra": {"max_completion_tokens": 9}}), "small", None),
    ] {
        let options = read(options).unwrap();
        let (name, found) = options.model(&provider).unwrap();
        assert_eq!((name, options.max_tokens(&provider, found).unwrap()), (model, limit));
    }
    for options in [json!({"max_tokens": 101}), json!({"extra": {"max_completion_tokens": 101}})] {
        let options = read(options).unwrap();
        let (_, model) = options.model(&provider).unwrap();
        assert!(options.max_tokens(&provider, model).is_err());
    }
    let error = read(json!({"model": "smal"})).unwrap().model(&provider).unwrap_err();
    let problem = &error.field_errors["action_handler_options.model"];
    assert_eq!(problem, "provider p has no \"smal\"; did you mean \"small\"?");
}
