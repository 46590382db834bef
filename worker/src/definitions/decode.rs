//! From a tree to a definition: everything that is wrong with it at once.

use std::sync::LazyLock;

use actionfleet_proto::{
    definition::{Definition, DefinitionKind, Problem},
    schema::documents,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{nearest::nearest, schema::Schema};

/// The published schema of each kind, which types and check thus share.
struct Shape {
    kind: DefinitionKind,
    document: Value,
    schema: Option<Schema>,
}

static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let documents = documents();
    let shape = |kind: DefinitionKind| {
        let name = format!("{}.schema.json", kind.as_str());
        let document = documents.iter().find(|(file, _)| *file == name)?.1.clone();
        let schema = Schema::compile(&document).ok();
        Some(Shape { kind, document, schema })
    };
    DefinitionKind::ALL.into_iter().filter_map(shape).collect()
});

pub(super) fn decode(mut value: Value) -> Result<Definition, Vec<Problem>> {
    if !value.is_object() {
        let problem = "is not a definition; a file holds one, as a mapping that starts with `kind`";
        return Err(vec![Problem::new(".", problem)]);
    }
    let kind = kind(&value).map_err(|problem| vec![problem])?;
    let mut problems = Vec::new();
    if let Some(shape) = SHAPES.iter().find(|shape| shape.kind == kind) {
        take_unknown(&shape.document, &shape.document, &mut value, "", &mut problems);
        let wrong = shape.schema.as_ref().map(|schema| schema.problems(&value));
        problems.extend(wrong.into_iter().flatten().map(|(field, text)| Problem::new(field, text)));
    }
    let definition = match kind {
        DefinitionKind::Provider => typed(value).map(Definition::Provider),
        DefinitionKind::ActionType => typed(value).map(Definition::ActionType),
        DefinitionKind::HttpAction => typed(value).map(Definition::HttpAction),
    };
    match definition {
        Ok(definition) => {
            problems.extend(match &definition {
                Definition::Provider(provider) => provider.problems(),
                Definition::ActionType(action_type) => action_type.problems(),
                Definition::HttpAction(action) => action.problems(),
            });
            if problems.is_empty() { Ok(definition) } else { Err(problems) }
        }
        // the schema has said it, and better, where it could
        Err(problem) if problems.is_empty() => Err(vec![problem]),
        Err(_) => Err(problems),
    }
}

fn kind(value: &Value) -> Result<DefinitionKind, Problem> {
    let names = DefinitionKind::ALL.map(DefinitionKind::as_str);
    let known = names.join(", ");
    let Some(kind) = value.get("kind") else {
        return Err(Problem::new("kind", format!("is required: one of {known}")));
    };
    let text = kind.as_str().unwrap_or_default();
    DefinitionKind::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
        let hint = nearest(text, names).map(|name| format!("; did you mean {name}?"));
        Problem::new("kind", format!("{kind} is not one of {known}{}", hint.unwrap_or_default()))
    })
}

fn typed<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| Problem::new(error.path().to_string(), error.inner().to_string()))
}

/// Takes the keys out that the schema does not know, and says which it may have meant.
fn take_unknown(
    root: &Value,
    schema: &Value,
    value: &mut Value,
    path: &str,
    problems: &mut Vec<Problem>,
) {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        if let Some(schema) = target.strip_prefix('#').and_then(|at| root.pointer(at)) {
            take_unknown(root, schema, value, path, problems);
        }
        return;
    }
    for branch in schema.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
        take_unknown(root, branch, value, path, problems);
    }
    let Value::Object(map) = value else { return };
    let properties = schema.get("properties").and_then(Value::as_object);
    let more = schema.get("additionalProperties").filter(|more| more.is_object());
    let mut unknown = Vec::new();
    for (key, value) in map.iter_mut() {
        let field = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match properties.and_then(|known| known.get(key)).or(more) {
            Some(schema) => take_unknown(root, schema, value, &field, problems),
            None if properties.is_some() => unknown.push((key.clone(), field)),
            None => {}
        }
    }
    let known: Vec<_> = properties.into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    for (key, field) in unknown {
        map.remove(&key);
        let hint = match nearest(&key, known.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known are {}", known.join(", ")),
        };
        problems.push(Problem::new(field, format!("is not a known key; {hint}")));
    }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
