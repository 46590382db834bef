//! A result for people.

use actionfleet_proto::{JobResult, Output};

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
    match &result.error {
        None => format!("job {id} {}: {}", status.as_str(), result.message),
        Some(error) => format!(
            "job {id} {}: {}: {}; `actionfleet explain {}` says more",
            status.as_str(),
            error.code,
            error.message,
            error.code
        ),
    }
}
