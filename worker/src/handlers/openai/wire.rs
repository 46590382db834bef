//! The parts of the API that are used; what a service adds is ignored.

use actionfleet_proto::Map;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
    pub(super) model: &'a str,
    pub(super) messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_tokens: Option<u32>,
    #[serde(flatten)]
    pub(super) extra: &'a Map,
}

#[derive(Debug, Serialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub(super) enum Message<'a> {
    System { content: &'a str },
    User { content: Content<'a> },
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Content<'a> {
    Text(&'a str),
    Parts([Part<'a>; 1]),
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Part<'a> {
    ImageUrl { image_url: ImageUrl<'a> },
}

#[derive(Debug, Serialize)]
pub(super) struct ImageUrl<'a> {
    url: &'a str,
}

impl<'a> Content<'a> {
    pub(super) fn image(url: &'a str) -> Self {
        Self::Parts([Part::ImageUrl { image_url: ImageUrl { url } }])
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Response {
    #[serde(default)]
    pub(super) model: Option<String>,
    #[serde(default)]
    pub(super) choices: Vec<Choice>,
    #[serde(default)]
    pub(super) usage: Option<Tokens>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    pub(super) message: Answer,
    #[serde(default)]
    pub(super) finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    content: Option<AnswerContent>,
    #[serde(default)]
    pub(super) refusal: Option<String>,
}

/// Text, or with some services a list of parts.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum AnswerContent {
    Text(String),
    Parts(Vec<AnswerPart>),
}

#[derive(Debug, Deserialize)]
struct AnswerPart {
    #[serde(default)]
    text: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(super) struct Tokens {
    #[serde(default)]
    pub(super) prompt_tokens: u64,
    #[serde(default)]
    pub(super) completion_tokens: u64,
}

impl Answer {
    /// `None` where there is nothing but space.
    pub(super) fn into_text(self) -> Option<String> {
        let text = match self.content? {
            AnswerContent::Text(text) => text,
            AnswerContent::Parts(parts) => parts.into_iter().filter_map(|part| part.text).collect(),
        };
        let trimmed = text.trim();
        (!trimmed.is_empty()).then(|| trimmed.to_owned())
    }
}
