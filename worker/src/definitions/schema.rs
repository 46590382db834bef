//! JSON Schema (2020-12), compiled. Never fetches anything, and its patterns match in linear time.

use std::collections::BTreeMap;

use jsonschema::{
    PatternOptions, ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind},
};
use serde_json::Value;

/// In bytes, of one compiled pattern.
const PATTERN_MAX: usize = 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Schema(Validator);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not a JSON Schema (2020-12): {0}")]
pub(crate) struct InvalidSchema(String);

impl Schema {
    pub(crate) fn compile(schema: &Value) -> Result<Self, InvalidSchema> {
        if !schema.is_object() {
            return Err(InvalidSchema("it must be an object".to_owned()));
        }
        let patterns = PatternOptions::regex().size_limit(PATTERN_MAX).dfa_size_limit(PATTERN_MAX);
        jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .with_pattern_options(patterns)
            .offline()
            .build(schema)
            .map(Self)
            .map_err(|error| {
                let place = path_of(&error);
                let place = if place.is_empty() { String::new() } else { format!("{place}: ") };
                InvalidSchema(format!("{place}{error}"))
            })
    }

    /// Everything that is wrong with the value, by the dotted path of the field; empty where
    /// nothing is. `.` is the whole value.
    pub(crate) fn problems(&self, value: &Value) -> BTreeMap<String, String> {
        if self.0.is_valid(value) {
            return BTreeMap::new();
        }
        let mut problems = BTreeMap::new();
        for error in self.0.iter_errors(value) {
            note(&error, &mut problems);
        }
        problems
    }
}

fn note(error: &ValidationError<'_>, problems: &mut BTreeMap<String, String>) {
    let path = path_of(error);
    let mut add = |field: String, problem: String| {
        let field = if field.is_empty() { ".".to_owned() } else { field };
        problems.entry(field).or_insert(problem);
    };
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            add(join(&path, property.as_str().unwrap_or_default()), "is required".to_owned());
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            for name in unexpected {
                add(join(&path, name), "is not known; leave it out".to_owned());
            }
        }
        ValidationErrorKind::Type { kind } => {
            add(path, format!("must be {}, not {}", expected(kind), kind_of(error.instance())));
        }
        ValidationErrorKind::Enum { options } => add(path, format!("must be one of {options}")),
        // an optional part: what matters is what is wrong with the part where it is given
        ValidationErrorKind::AnyOf { context } => match context.first() {
            Some(errors) if !errors.is_empty() => {
                for error in errors {
                    note(error, problems);
                }
            }
            _ => add(path, error.to_string()),
        },
        _ => add(path, error.to_string()),
    }
}

fn expected(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(set) => {
            let names: Vec<_> =
                set.iter().map(|one| one.to_string()).filter(|name| name != "null").collect();
            names.join(" or ")
        }
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// `items[0].name` for `/items/0/name`.
fn path_of(error: &ValidationError<'_>) -> String {
    let pointer = error.instance_path().as_str();
    pointer.split('/').skip(1).fold(String::new(), |path, part| {
        let part = part.replace("~1", "/").replace("~0", "~");
        join(&path, &part)
    })
}

fn join(path: &str, part: &str) -> String {
    match (path, part.parse::<usize>()) {
        ("", _) => part.to_owned(),
        (path, Ok(index)) => format!("{path}[{index}]"),
        (path, Err(_)) => format!("{path}.{part}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_every_field_and_what_is_wrong_with_it() {
        let schema = Schema::compile(&json!({
            "type": "object", "required": ["city"], "additionalProperties": false,
            "properties": {
                "city": {"type": "string", "minLength": 2},
                "days": {"type": "integer", "maximum": 14},
                "unit": {"enum": ["c", "f"]},
                "tags": {"type": "array", "items": {"type": "string"}},
                "at": {"anyOf": [{"type": "object", "required": ["lat"]}, {"type": "null"}]}
            }
        }))
        .unwrap();
        let problems = schema
            .problems(&json!({"days": 15, "unit": "k", "tags": ["x", 1], "at": {}, "more": true}));
        let expected = [
            ("at.lat", "is required"),
            ("city", "is required"),
            ("days", "15 is greater than the maximum of 14"),
            ("more", "is not known; leave it out"),
            ("tags[1]", "must be string, not number"),
            ("unit", "must be one of [\"c\",\"f\"]"),
        ];
        let expected = expected.map(|(field, problem)| (field.to_owned(), problem.to_owned()));
        assert_eq!(problems, BTreeMap::from(expected));
        assert!(schema.problems(&json!({"city": "Rome"})).is_empty());
        assert_eq!(schema.problems(&json!(1))["."], "must be object, not number");
    }

    #[test]
    fn refuses_what_is_no_schema_or_lies_elsewhere() {
        for schema in [
            json!(true),
            json!({"type": "text"}),
            json!({"$ref": "https://example.com/schema.json"}),
            json!({"$ref": "file:///etc/passwd"}),
            json!({"$ref": "#/nowhere"}),
            json!({"pattern": "("}),
            json!({"pattern": "a{1000}{1000}{1000}"}),
            json!({"pattern": "(?=look)"}),
        ] {
            assert!(Schema::compile(&schema).is_err(), "{schema}");
        }
    }
}
