use actionfleet_proto::Code;
use serde_json::json;

use super::{
    super::testing::{secrets, with_arguments},
    *,
};

fn evaluated(source: &str, arguments: Value) -> Result<Value, HandlerError> {
    let (context, secrets) = (with_arguments(arguments), secrets());
    let expression = Expression::compile(source).unwrap();
    let scope = Scope::new(&context, &secrets);
    expression.value(&scope).map(|found| serde_json::to_value(found).unwrap())
}

#[test]
fn values_keep_their_type() {
    let arguments = json!({
        "city": "Paris", "days": 3, "price": 29.99, "big": 9_007_199_254_740_993_u64, "on": true,
        "none": null, "tags": ["a", "b"], "user": {"name": "Ann", "ids": [7, 8]}, "job": "mine",
        "tpl": "{{ city }}"
    });
    for (source, expected) in [
        ("city", json!("Paris")),
        ("days", json!(3)),
        ("price", json!(29.99)),
        ("big", json!(9_007_199_254_740_993_u64)),
        ("on", json!(true)),
        ("none", json!(null)),
        ("tags", json!(["a", "b"])),
        ("user.name", json!("Ann")),
        ("user.ids[1]", json!(8)),
        ("user", json!({"name": "Ann", "ids": [7, 8]})),
        ("arguments", arguments.clone()),
        ("arguments.job", json!("mine")),
        ("job.id", json!("job-1")),
        ("job.tenant", json!("default")),
        ("runtime_context.languageCode", json!("eng-GB")),
        ("secrets.API_KEY", json!("k&y=1")),
        // a value is never a template
        ("tpl", json!("{{ city }}")),
        ("tpl ~ '!'", json!("{{ city }}!")),
        // Jinja
        ("city | upper", json!("PARIS")),
        ("days + 1", json!(4)),
        ("big + 0", json!(9_007_199_254_740_993_u64)),
        ("tags | join(',')", json!("a,b")),
        ("units | default('metric')", json!("metric")),
        ("units | default(none)", json!(null)),
        ("'yes' if on else 'no'", json!("yes")),
        ("user['name']", json!("Ann")),
        ("'Bearer ' ~ secrets.API_KEY", json!("Bearer k&y=1")),
        ("[city, days]", json!(["Paris", 3])),
        ("(-days)", json!(-3)),
        ("true", json!(true)),
    ] {
        assert_eq!(evaluated(source, arguments.clone()).unwrap(), expected, "{source}");
    }
}

#[test]
fn what_is_missing_is_named() {
    for (source, name) in [
        ("city", "city"),
        ("user.name", "user.name"),
        ("user.ids[2]", "user.ids[2]"),
        ("city | upper", "city"),
        ("'x' ~ user.name ~ 'y'", "user.name"),
        ("user['name']", "user['name']"),
        ("user.a.b", "user.a.b"),
        ("job.nothing", "job.nothing"),
    ] {
        let error = evaluated(source, json!({"user": {"ids": [1]}})).unwrap_err();
        assert_eq!(error.code, Code::InvalidInput, "{source}");
        let (field, problem) = error.field_errors.first_key_value().unwrap();
        assert_eq!((field.as_str(), problem.as_str()), (name, MISSING), "{source}");
    }
}

#[test]
fn a_missing_secret_has_its_own_code() {
    for source in ["secrets.OTHER", "'Bearer ' ~ secrets.OTHER"] {
        let error = evaluated(source, json!({})).unwrap_err();
        assert_eq!((error.code, error.message.contains("OTHER")), (Code::MissingSecret, true));
    }
}

#[test]
fn bounded_and_exact() {
    for source in ["range(n) | list", "'x' * n", "n ** n", "[1] * n"] {
        let result = evaluated(source, json!({"n": 10_000_000_000_u64}));
        assert_eq!(result.unwrap_err().code, Code::InvalidInput, "{source}");
    }
    for source in ["n", "n + 0", "arguments", "[n]"] {
        let arguments = serde_json::from_str(r#"{"n": 18446744073709551616}"#).unwrap();
        let error = evaluated(source, arguments).unwrap_err();
        assert!(error.message.contains("send it as a string"), "{source}: {error}");
    }
}

#[test]
fn refuses_what_is_no_expression() {
    for source in [
        "",
        "a b",
        "a.",
        "a | no_such_filter",
        "no_such_function()",
        "a is no_such_test",
        "- a",
        "a -",
        "secrets",
        "secrets.key",
        "secrets['KEY']",
        "secrets[name]",
        "debug()",
        "secrets | length",
        "a if",
    ] {
        assert!(Expression::compile(source).is_err(), "{source}");
    }
}
