//! What differs between two versions of a definition.

use serde_json::Value;

/// A field that one or both have.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Difference {
    /// Dotted path.
    pub(super) field: String,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
}

/// Field by field, as deep as both are objects.
pub(super) fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", Some(before), Some(after), &mut found);
    found
}

fn compare(
    field: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    if before == after {
        return;
    }
    if let (Some(Value::Object(old)), Some(Value::Object(new))) = (before, after) {
        let added = new.keys().filter(|key| !old.contains_key(*key));
        for key in old.keys().chain(added) {
            let path = if field.is_empty() { key.clone() } else { format!("{field}.{key}") };
            compare(&path, old.get(key), new.get(key), found);
        }
        return;
    }
    let field = field.to_owned();
    found.push(Difference { field, before: before.cloned(), after: after.cloned() });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_that_changed_came_or_went() {
        let before = json!({"a": 1, "b": {"c": [1], "d": 2}, "e": null, "same": {"x": 1}});
        let after = json!({"a": 2, "b": {"c": [1, 2], "f": 3}, "same": {"x": 1}, "g": {"h": 1}});
        let shown: Vec<String> = differences(&before, &after)
            .into_iter()
            .map(|Difference { field, before, after }| {
                let text =
                    |value: Option<Value>| value.map_or("-".into(), |value| value.to_string());
                format!("{field}: {} {}", text(before), text(after))
            })
            .collect();
        let expected =
            ["a: 1 2", "b.c: [1] [1,2]", "b.d: 2 -", "b.f: - 3", "e: null -", "g: - {\"h\":1}"];
        assert_eq!(shown, expected);
        assert!(differences(&after, &after).is_empty());
    }
}
