//! A result for people.

use actionfleet_proto::{ErrorBody, JobResult, Output};

pub(super) fn text(result: &JobResult) -> String {
    match &result.output {
        None => result.message.clone(),
        Some(Output::Text(texts)) => texts.join("\n\n"),
        Some(Output::Json(value)) => serde_json::to_string_pretty(value).unwrap_or_default(),
        Some(Output::Files(files)) => {
            let lines = files
                .iter()
                .map(|file| format!("{}  {}  {} bytes", file.name, file.content_type, file.size));
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}

pub(super) fn problem(result: &JobResult) -> String {
    let JobResult { id, status, .. } = result;
    let Some(error) = &result.error else {
        return format!("job {id} {}: {}", status.as_str(), result.message);
    };
    let ErrorBody { code, message, field_errors, .. } = error;
    let fields = field_errors.iter().map(|(field, problem)| format!("{field}: {problem}"));
    // what the message says already is not said again
    let fields: Vec<String> = fields.filter(|line| line != message).collect();
    let more = match fields.as_slice() {
        [] => "; ".to_owned(),
        fields => format!("\n  {}\n", fields.join("\n  ")),
    };
    let status = status.as_str();
    format!("job {id} {status}: {code}: {message}{more}`actionfleet explain {code}` says more")
}
