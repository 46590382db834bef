#![expect(clippy::needless_pass_by_value, reason = "values are written in place, as json!")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::testing::{body, compile, render};

fn rendered(template: Value, arguments: Value) -> Value {
    body(&render(json!({"body": template}), arguments).unwrap())
}

#[test]
fn the_tree_keeps_its_shape() {
    let arguments = json!({
        "text": "say \"hi\"\n\u{0}é {{ x }}", "n": 2, "list": [1, "a"], "big": 9_007_199_254_740_993_u64
    });
    for (template, expected) in [
        (json!({"text": "{{ text }}"}), json!({"text": "say \"hi\"\n\u{0}é {{ x }}"})),
        (json!("{{ arguments }}"), arguments.clone()),
        (
            json!({"a": [1, null, true, "x", {"n": "{{ n }}"}], "b\"": {}}),
            json!({"a": [1, null, true, "x", {"n": 2}], "b\"": {}}),
        ),
        (json!("n={{ n }}, {{text}}"), json!("n=2, say \"hi\"\n\u{0}é {{ x }}")),
        (json!(["{{ list }}", "{{ big }}"]), json!([[1, "a"], 9_007_199_254_740_993_u64])),
        (json!({"s": "}} { }"}), json!({"s": "}} { }"})),
        (json!("{{ '}}' ~ n }}"), json!("}}2")),
        (json!("{{ {'k': n} }}"), json!({"k": 2})),
        (json!([]), json!([])),
        (json!(7.5), json!(7.5)),
    ] {
        assert_eq!(rendered(template, arguments.clone()), expected);
    }
}

#[test]
fn problems_name_their_place() {
    let template = json!({"a": [{"b": "{{ x"}]});
    assert_eq!(
        compile(json!({"body": template})).unwrap_err(),
        ["body.a[0].b: `{{ x` is not closed"]
    );
    assert!(compile(json!({"body": {"{{ x }}": 1}})).is_err());
    let error = render(json!({"body": {"a": "{{ gone }}"}}), json!({})).unwrap_err();
    assert_eq!(error.message, "gone: is missing; the action needs it");
    let error = render(json!({"body": "x {{ o }}"}), json!({"o": {}})).unwrap_err();
    assert_eq!(error.message, "o: is an object, which cannot stand inside a text");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "[\\x00-\\u{10ffff}]{0,20}".prop_map(Value::from),
        "[{}%# a-c'\"|.]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(".{0,8}", inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_arrives_intact(value in any_json()) {
        let arguments = json!({"v": value});
        prop_assert_eq!(rendered(json!({"x": "{{ v }}"}), arguments.clone()), json!({"x": value}));
        // by way of Jinja, too
        let template = json!(["{{ v if true else 0 }}"]);
        prop_assert_eq!(rendered(template, arguments), json!([value]));
    }

    #[test]
    fn any_text_stays_in_its_string(text in "[\\x00-\\u{10ffff}]{0,40}") {
        let found = rendered(json!({"x": "<{{ v }}>"}), json!({"v": text}));
        prop_assert_eq!(found, json!({"x": format!("<{text}>")}));
    }

    #[test]
    fn any_template_compiles_or_is_refused(template in any_json()) {
        let _ = compile(json!({"body": template}));
    }
}
