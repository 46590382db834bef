//! How dead letters look.

use actionfleet_broker::HeaderValue;
use actionfleet_producer::DeadLetter;
use actionfleet_proto::headers;
use serde_json::{Map, Value, json};

use crate::output::table;

/// Characters of an error in a table.
const ERROR_WIDTH: usize = 60;

/// What the headers say, for programs.
pub(super) fn summary(letter: &DeadLetter) -> Value {
    json!({
        "id": letter.job_id,
        "code": letter.code,
        "action": letter.action,
        "lane": letter.lane,
        "attempt": letter.attempt,
        "failed_at": letter.failed_at,
        "error": error(letter),
        "moved": letter.moved,
    })
}

/// With the body and the properties.
pub(super) fn whole(letter: &DeadLetter) -> Value {
    let properties = letter.properties();
    let told = !error(letter).is_null();
    let headers: Map<String, Value> = properties
        .headers
        .iter()
        // read, it stands above
        .filter(|(name, _)| !(told && name == headers::ERROR))
        .map(|(name, value)| {
            let value = match value {
                HeaderValue::Text(text) => json!(text),
                HeaderValue::Number(number) => json!(number),
                HeaderValue::Bool(yes) => json!(yes),
            };
            (name.clone(), value)
        })
        .collect();
    let mut whole = summary(letter);
    if let Value::Object(fields) = &mut whole {
        fields.insert("message_id".into(), json!(properties.message_id));
        fields.insert("correlation_id".into(), json!(properties.correlation_id));
        fields.insert("reply_to".into(), json!(properties.reply_to));
        fields.insert("headers".into(), Value::Object(headers));
        fields.insert("job".into(), body(letter));
    }
    whole
}

/// For people.
pub(super) fn page(letter: &DeadLetter, whole: &Value) -> String {
    let mut page = list(vec![row(letter)]);
    page.push_str("\n\n");
    page.push_str(&serde_json::to_string_pretty(whole).unwrap_or_default());
    page
}

pub(super) fn row(letter: &DeadLetter) -> [String; 7] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let error = error(letter);
    let message = error.get("message").and_then(Value::as_str).map(str::to_owned);
    let moved = || letter.moved.as_ref().map(|why| format!("moved by the broker: {why}"));
    let message = message.or_else(moved).unwrap_or_default();
    [
        or_dash(letter.job_id.clone()),
        or_dash(letter.code.map(|code| code.to_string())),
        or_dash(letter.action.clone()),
        or_dash(letter.lane.clone()),
        or_dash(letter.attempt.map(|attempt| attempt.to_string())),
        or_dash(letter.failed_at.map(|at| at.to_string())),
        message.chars().take(ERROR_WIDTH).collect(),
    ]
}

/// By what rows are in order: when the jobs died.
pub(super) fn age(row: &[String; 7]) -> &str {
    let [.., failed_at, _] = row;
    failed_at
}

pub(super) fn list(rows: Vec<[String; 7]>) -> String {
    if rows.is_empty() {
        return "no dead letters".to_owned();
    }
    table(["JOB", "CODE", "ACTION", "LANE", "ATTEMPT", "FAILED AT", "ERROR"], rows)
}

fn error(letter: &DeadLetter) -> Value {
    let error = letter.error.as_deref();
    error.and_then(|error| serde_json::from_str(error).ok()).unwrap_or_default()
}

/// As JSON where it reads, else as text.
fn body(letter: &DeadLetter) -> Value {
    serde_json::from_slice(letter.body())
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(letter.body()).into_owned()))
}
