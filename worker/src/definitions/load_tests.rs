use std::fs;

use actionfleet_proto::{Code, Input};
use serde_json::json;

use super::*;
use crate::handler::{Action, ActionDefinition, Options};

const PROVIDER: &str = "
kind: provider
identifier: local
base_url: http://127.0.0.1:1/v1
default_model: m
models: {m: {}}
";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn loaded(files: &[(&str, &str)]) -> (Catalog, Vec<String>) {
    let folder = folder(files);
    let referable = Referable { handlers: vec!["echo".to_owned()], ..Referable::default() };
    let Loaded { catalog, findings, .. } = load(folder.path(), &referable).unwrap();
    let prefix = format!("{}/", folder.path().display());
    let shown = findings.iter().map(|finding| finding.to_string().replace(&prefix, ""));
    (catalog, shown.collect())
}

#[test]
fn all_files_of_all_formats() {
    let (catalog, findings) = loaded(&[
        ("a.yaml", PROVIDER),
        (
            "b.toml",
            "kind = 'http_action'\nidentifier = 'ping'\nmethod = 'POST'\nurl = 'https://h.example/'",
        ),
        (
            "c.json",
            r#"{"kind": "action_type", "identifier": "sum", "input": "text", "output": "text",
                "handler": "echo", "provider": "local"}"#,
        ),
        ("README.md", "not a definition"),
    ]);
    assert_eq!(findings, [""; 0]);
    assert!(catalog.provider("local").is_some());
    assert!(matches!(catalog.action("ping"), Some(ActionDefinition::Http(_))));
    assert!(matches!(catalog.action("sum"), Some(ActionDefinition::Type(_))));
    assert!(matches!(catalog.action("refine_text"), Some(ActionDefinition::Type(_))));
    assert!(catalog.action("local").is_none());
    assert_eq!(catalog.nearest_action("refine_txt", "any"), Some("refine_text"));
}

fn assert_found(findings: &[String], expected: &[&str]) {
    assert_eq!(findings.len(), expected.len(), "{findings:#?}");
    for (finding, start) in findings.iter().zip(expected) {
        assert!(finding.starts_with(start), "{finding}\n{start}");
    }
}

#[test]
fn every_problem_of_every_file_at_once() {
    let action = "kind: http_action\nidentifier: x\nmethod: GET\nurl: https://h.example/\n";
    let (catalog, findings) = loaded(&[
        ("a.yaml", action),
        ("b.yaml", &format!("{action}tiemout: 3s\nquery:\n  q: '{{{{ x'\n")),
        ("c.yaml", &action.replace("x\n", "y\n").replace("h.example/", "{{ host }}/")),
        ("d.yaml", action),
        (
            "e.yaml",
            "kind: action_type\nidentifier: t\ninput: text\noutput: text\nprovider: lcoal\n",
        ),
        (
            "f.yaml",
            "kind: action_type\nidentifier: u\ninput: text\noutput: text\nhandler: ehco\n\
             provider: lcoal\noptions: {type: objekt}",
        ),
        ("g.yaml", "kind: [\n"),
        ("h.yaml", &PROVIDER.replace("base_url", "api_key: sk-123\nbase_url")),
        ("i.yaml", &format!("{}response: {{path: 'a['}}\n", action.replace("x\n", "z\n"))),
    ]);
    let expected = [
        "b.yaml:5: tiemout: is not a known key; did you mean `timeout`?",
        "b.yaml:7: query.q: `{{ x` is not closed",
        "c.yaml:4: url: scheme and host are fixed; values may stand in the path only",
        "d.yaml:2: identifier: \"x\" is defined in ",
        "e.yaml:5: provider: no provider is called \"lcoal\"; there is none; define the provider",
        "f.yaml:5: handler: no handler is called \"ehco\"; did you mean echo?",
        "f.yaml:6: provider: no provider is called \"lcoal\"; there is none; define the provider",
        "f.yaml:7: options: is not a JSON Schema (2020-12): ",
        "g.yaml:",
        "h.yaml:4: api_key: names the secret that holds the key, such as OPENAI_API_KEY",
        "i.yaml:5: response.path: \"a[\" is not a path: a bracket is not closed",
    ];
    assert_found(&findings, &expected);
    assert!(catalog.http_action("x").is_some() && catalog.http_action("y").is_none());
    assert!(catalog.action("t").is_none() && catalog.action("u").is_none());
}

#[test]
fn what_is_wrong_with_one_part_hides_no_other() {
    let (_, findings) = loaded(&[
        (
            "a.yaml",
            "kind: http_action\nidentifier: w\nmethod: FETCH\nurl: h.example\ntimeout: 3\n\
             retry: {max_attemps: 2}\nheaders: {Host: x, X-A: '{{ a b }}'}\n\
             body: {a: '{% if %}', b: '{{ c'}\nresponse: {path: 'a['}\nparameters: {type: objekt}\n",
        ),
        (
            "b.yaml",
            "kind: action_type\nidentifier: v\ninput: text\noutput: text\nhandlr: echo\n\
             handler: ehco\nprovider: lcoal\n",
        ),
    ]);
    let expected = [
        "a.yaml:3: method: must be one of",
        "a.yaml:4: url: must start with https:// or http://",
        "a.yaml:5: timeout: must be string, not number",
        "a.yaml:6: retry.max_attemps: is not a known key; did you mean `max_attempts`?",
        "a.yaml:7: headers.Host: is set by the fleet itself; leave it out",
        "a.yaml:7: headers.X-A: \"a b\" is not an expression",
        "a.yaml:8: body.a: statements `{%` and comments `{#` are not supported",
        "a.yaml:8: body.b: `{{ c` is not closed",
        "a.yaml:9: response.path: \"a[\" is not a path: a bracket is not closed",
        "a.yaml:10: parameters: is not a JSON Schema (2020-12): ",
        "b.yaml:5: handlr: is not a known key; did you mean `handler`?",
        "b.yaml:6: handler: no handler is called \"ehco\"; did you mean echo?",
        "b.yaml:7: provider: no provider is called \"lcoal\"; there is none; define the provider",
    ];
    assert_found(&findings, &expected);
}

#[test]
fn a_definition_replaces_a_built_in_type() {
    let (catalog, findings) = loaded(&[(
        "a.yaml",
        "kind: action_type\nidentifier: refine_text\ninput: text\noutput: text\nbase_prompt: Mine.\n",
    )]);
    assert!(findings.is_empty());
    let Some(ActionDefinition::Type(action_type)) = catalog.action("refine_text") else {
        panic!("not a type");
    };
    assert_eq!(action_type.base_prompt.as_deref(), Some("Mine."));
}

#[test]
fn jobs_are_checked_against_their_definition() {
    let (catalog, findings) = loaded(&[(
        "a.yaml",
        "kind: http_action\nidentifier: w\nmethod: GET\nurl: https://h.example/\nparameters:\n  \
         type: object\n  required: [city]\n  additionalProperties: false\n  properties:\n    \
         city: {type: string}\n    text: {type: string}\n    days: {type: integer, maximum: 14}\n",
    )]);
    assert!(findings.is_empty(), "{findings:?}");
    let check = |identifier: &str, input: serde_json::Value, options: serde_json::Value| {
        let input: Input = serde_json::from_value(input).unwrap();
        let definition = catalog.action(identifier);
        let action = Action { identifier: identifier.into(), definition, input: input.kind() };
        let options =
            Options { action_type: serde_json::from_value(options).unwrap(), ..Options::default() };
        catalog.check(&action, &input, &options)
    };
    check("w", json!({"arguments": {"city": "Rome"}}), json!({})).unwrap();
    check("w", json!({"json": {"city": "Rome"}}), json!({})).unwrap();
    check("nobody", json!({"text": "x"}), json!({"any": 1})).unwrap();
    check("generate_alt_text", json!({"image": "AA=="}), json!({"max_length": 140})).unwrap();

    let error = check("w", json!({"arguments": {"days": 15}}), json!({})).unwrap_err();
    assert_eq!(error.code, Code::InvalidInput);
    assert_eq!(error.message, "the arguments do not match the schema");
    assert_eq!(error.field_errors["city"], "is required");
    assert!(error.field_errors.contains_key("days"));

    let error = check("w", json!({"image": "AA=="}), json!({})).unwrap_err();
    assert_eq!(error.message, "w takes arguments, the job gives image");
    let error = check("refine_text", json!({"image": "AA=="}), json!({})).unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (Code::UnsupportedInput, "refine_text takes text, the job gives image")
    );
    let options = json!({"max_length": 0});
    let error = check("generate_alt_text", json!({"image": "AA=="}), options).unwrap_err();
    assert!(error.field_errors.contains_key("action_type_options.max_length"), "{error}");
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    assert!(load(Path::new("/nowhere/at/all"), &Referable::default()).is_err());
}
