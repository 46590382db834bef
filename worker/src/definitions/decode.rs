//! From a tree to a definition: everything that is wrong with it at once.

use std::{collections::HashSet, sync::LazyLock};

use actionfleet_proto::{
    definition::{Definition, DefinitionKind, Problem},
    schema::documents,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

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

/// A definition, as far as it can be read, and what is wrong with it.
#[derive(Debug)]
pub(super) struct Decoded {
    /// Where anything is wrong, only good for finding what else is: parts that do not read are
    /// left out or stood in for.
    pub(super) definition: Option<Definition>,
    pub(super) problems: Vec<Problem>,
}

pub(super) fn decode(mut value: Value) -> Decoded {
    let unreadable = |problem| Decoded { definition: None, problems: vec![problem] };
    if !value.is_object() {
        let problem = "is not a definition; a file holds one, as a mapping that starts with `kind`";
        return unreadable(Problem::new(".", problem));
    }
    let kind = match kind(&value) {
        Ok(kind) => kind,
        Err(problem) => return unreadable(problem),
    };
    let mut problems = Vec::new();
    if let Some(shape) = SHAPES.iter().find(|shape| shape.kind == kind) {
        take_unknown(&shape.document, &shape.document, &mut value, "", &mut problems);
        let wrong = shape.schema.as_ref().map(|schema| schema.problems(&value)).unwrap_or_default();
        stand_in(kind, &mut value, wrong.keys().map(|field| top(field)));
        problems.extend(wrong.into_iter().map(|(field, text)| Problem::new(field, text)));
    }
    let definition = match kind {
        DefinitionKind::Provider => read(value, &mut problems).map(Definition::Provider),
        DefinitionKind::ActionType => read(value, &mut problems).map(Definition::ActionType),
        DefinitionKind::HttpAction => read(value, &mut problems).map(Definition::HttpAction),
    };
    let more = match &definition {
        Some(Definition::Provider(provider)) => provider.problems(),
        Some(Definition::ActionType(action_type)) => action_type.problems(),
        Some(Definition::HttpAction(action)) => action.problems(),
        None => Vec::new(),
    };
    add_unsaid(&mut problems, more);
    Decoded { definition, problems }
}

/// Of one field the first finding says it all.
pub(super) fn add_unsaid(problems: &mut Vec<Problem>, more: Vec<Problem>) {
    let said: HashSet<_> = problems.iter().map(|problem| problem.field.clone()).collect();
    problems.extend(more.into_iter().filter(|problem| !said.contains(&problem.field)));
}

/// Gives what a definition cannot be without and what is wrong in this one, so that the rest of it
/// is read all the same.
fn stand_in<'a>(kind: DefinitionKind, value: &mut Value, wrong: impl Iterator<Item = &'a str>) {
    let Value::Object(map) = value else { return };
    for key in wrong {
        let stands_in = match (kind, key) {
            (_, "identifier") | (DefinitionKind::Provider, "default_model") => json!("unnamed"),
            (DefinitionKind::Provider, "models") => {
                // the default is one of them
                map.insert("default_model".to_owned(), json!("unnamed"));
                json!({"unnamed": {}})
            }
            (_, "base_url" | "url") => json!("https://unnamed.invalid/"),
            (DefinitionKind::ActionType, "input" | "output") => json!("text"),
            (DefinitionKind::HttpAction, "method") => json!("POST"),
            _ => continue,
        };
        map.insert(key.to_owned(), stands_in);
    }
}

/// Leaves out what does not read, one key after the other, as long as the rest is a definition.
fn read<T: DeserializeOwned>(mut value: Value, problems: &mut Vec<Problem>) -> Option<T> {
    loop {
        let error = match serde_path_to_error::deserialize(&value) {
            Ok(definition) => return Some(definition),
            Err(error) => error,
        };
        let field = error.path().to_string();
        // the schema has said it, and better, where it could
        let said = problems.iter().any(|problem| {
            field == "." || within(&problem.field, &field) || within(&field, &problem.field)
        });
        let key = top(&field).to_owned();
        if !said {
            problems.push(Problem::new(field, error.inner().to_string()));
        }
        value.as_object_mut()?.shift_remove(&key)?;
    }
}

fn within(field: &str, whole: &str) -> bool {
    field.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The key of the definition that a field lies in; empty for the whole.
fn top(field: &str) -> &str {
    field.split(['.', '[']).next().unwrap_or_default()
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
