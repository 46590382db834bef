//! Jobs in the shape that Ibexa DXP sends to its REST API, told by their media type:
//! `{"RefineText": {"Text": {"text": "…"}, "RuntimeContext": {}}}`.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    input::Input,
    job::{InvalidJob, Job, Map},
    strict::{StrictValue, strict_value},
};

const PREFIX: &str = "application/vnd.ibexa.api.ai.";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Envelope {
    #[serde(alias = "Image", alias = "Audio")]
    text: Value,
    #[serde(default, deserialize_with = "strict_value")]
    runtime_context: Map,
}

impl Job {
    /// A job in another media type than `application/json`; `media_type` is without parameters.
    pub fn from_media_type(media_type: &str, body: &[u8]) -> Result<Self, InvalidJob> {
        let unknown = || {
            invalid(
                "content_type",
                format!(
                    "{media_type:?} is not known; send application/json or {PREFIX}RefineText+json"
                ),
            )
        };
        let name = media_type.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix("+json"));
        let (action, kind) = match name.ok_or_else(unknown)? {
            "RefineText" => ("refine_text", "text"),
            "GenerateAltText" => ("generate_alt_text", "image"),
            "TranscribeAudio" => ("transcribe_audio", "audio"),
            _ => return Err(unknown()),
        };
        let StrictValue(document) = serde_json::from_slice(body)
            .map_err(|error| invalid(".", format!("the body is not JSON: {error}")))?;
        // as in Ibexa's own parser, the name of the root does not matter
        let root = document.as_object().and_then(|map| map.values().next()).cloned();
        let root = root.ok_or_else(|| invalid(".", "the body has no root element"))?;
        let envelope: Envelope = serde_json::from_value(root)
            .map_err(|error| invalid(".", format!("the root element: {error}")))?;
        let input = input(kind, &envelope.text).map_err(|problem| invalid("input", problem))?;
        let mut job = Self::new(action, input);
        job.runtime_context = envelope.runtime_context;
        Ok(job)
    }
}

/// `{"text": …}` of a text, `{"base64": …}` of a picture or a sound.
fn input(kind: &str, value: &Value) -> Result<Input, String> {
    let key = if kind == "text" { "text" } else { "base64" };
    let content = value.get(key).ok_or_else(|| format!("missing `{key}`"))?;
    let wire = Map::from_iter([(kind.to_owned(), content.clone())]);
    serde_json::from_value(Value::Object(wire)).map_err(|error| error.to_string())
}

fn invalid(field: &str, problem: impl std::fmt::Display) -> InvalidJob {
    InvalidJob { field: field.to_owned(), problem: format!("{field}: {problem}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_of_the_rest_api_become_jobs() {
        let refine = br#"{"RefineText":{"Text":{"text":"Here"},"RuntimeContext":{"languageCode":"eng-GB"}}}"#;
        let job =
            Job::from_media_type("application/vnd.ibexa.api.ai.RefineText+json", refine).unwrap();
        assert_eq!(
            (job.action.as_deref(), &job.input),
            (Some("refine_text"), &Input::text("Here"))
        );
        assert_eq!(job.runtime_context["languageCode"], "eng-GB");
        let alt = br#"{"GenerateAltText":{"Image":{"base64":"iVBO"}}}"#;
        let job =
            Job::from_media_type("application/vnd.ibexa.api.ai.GenerateAltText+json", alt).unwrap();
        assert_eq!(job.input.kind(), crate::InputKind::Image);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (media_type, body, problem) in [
            ("text/plain", "x", "is not known"),
            ("application/vnd.ibexa.api.ai.RefineText+xml", "<x/>", "is not known"),
            ("application/vnd.ibexa.api.ai.Other+json", "{}", "is not known"),
            ("application/vnd.ibexa.api.ai.RefineText+json", "{", "not JSON"),
            ("application/vnd.ibexa.api.ai.RefineText+json", "{}", "no root"),
            (
                "application/vnd.ibexa.api.ai.RefineText+json",
                r#"{"R":{"Text":{}}}"#,
                "missing `text`",
            ),
        ] {
            let error = Job::from_media_type(media_type, body.as_bytes()).unwrap_err();
            assert!(error.problem.contains(problem), "{media_type} {body}: {error}");
        }
    }
}
