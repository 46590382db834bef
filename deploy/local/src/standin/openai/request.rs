use serde::Deserialize;

use super::api_error::ApiError;

const ROLES: [&str; 6] = ["developer", "system", "user", "assistant", "tool", "function"];

/// What is read of a chat completion request. What is not read is not refused, as OpenAI's
/// compatibles do.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ChatRequest {
    model: Option<String>,
    pub(super) messages: Option<Vec<Message>>,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    temperature: Option<f64>,
    stream: Option<bool>,
    n: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    role: String,
    #[serde(default)]
    pub(super) content: Option<Content>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Part {
    Text { text: String },
    ImageUrl { image_url: ImageUrl },
}

#[derive(Debug, Deserialize)]
pub(super) struct ImageUrl {
    pub(super) url: String,
}

impl ChatRequest {
    pub(super) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let request: Self = serde_json::from_slice(body).map_err(|error| {
            if error.is_data() {
                ApiError::invalid(format!("the request has a wrong value: {error}"))
                    .code("invalid_type")
            } else {
                ApiError::invalid_json()
            }
        })?;
        request.check()?;
        Ok(request)
    }

    fn check(&self) -> Result<(), ApiError> {
        let Some(model) = &self.model else {
            return Err(ApiError::invalid("you must provide a model").param("model"));
        };
        let Some(messages) = &self.messages else {
            let error = ApiError::invalid("missing required parameter: 'messages'");
            return Err(error.param("messages").code("missing_required_parameter"));
        };
        if messages.is_empty() {
            let error = ApiError::invalid("'messages' is empty; it needs at least one");
            return Err(error.param("messages").code("empty_array"));
        }
        for (index, message) in messages.iter().enumerate() {
            message.check(index)?;
        }
        self.check_options()?;
        if model.starts_with("stand-in") { Ok(()) } else { Err(ApiError::model_not_found(model)) }
    }

    fn check_options(&self) -> Result<(), ApiError> {
        if self.temperature.is_some_and(|value| !(0.0..=2.0).contains(&value)) {
            let error = ApiError::invalid("'temperature' goes from 0 to 2");
            return Err(error.param("temperature").code("decimal_out_of_range"));
        }
        if self.max_tokens() == Some(0) {
            let error = ApiError::invalid("'max_tokens' is at least 1");
            return Err(error.param("max_tokens").code("integer_below_min_value"));
        }
        let unsupported = [("stream", self.stream == Some(true)), ("n", self.n.unwrap_or(1) != 1)];
        for (param, asked) in unsupported {
            if asked {
                let message = format!("the stand-in has no '{param}'");
                return Err(ApiError::invalid(message).param(param).code("unsupported_value"));
            }
        }
        Ok(())
    }

    pub(super) fn max_tokens(&self) -> Option<u64> {
        self.max_completion_tokens.or(self.max_tokens)
    }

    /// What is to be worked on: the last message of the user.
    pub(super) fn subject(&self) -> Option<&Content> {
        let mut messages = self.messages.iter().flatten().rev();
        messages.find(|message| message.role == "user").and_then(|message| message.content.as_ref())
    }
}

impl Message {
    fn check(&self, index: usize) -> Result<(), ApiError> {
        let param = format!("messages[{index}]");
        if !ROLES.contains(&self.role.as_str()) {
            let message = format!("{:?} is no role; there are {}", self.role, ROLES.join(", "));
            return Err(ApiError::invalid(message)
                .param(format!("{param}.role"))
                .code("invalid_value"));
        }
        if self.content.is_none() && self.role != "assistant" {
            let message = format!("a message of role {:?} needs content", self.role);
            return Err(ApiError::invalid(message)
                .param(format!("{param}.content"))
                .code("invalid_type"));
        }
        Ok(())
    }
}

impl Content {
    /// The texts in it, in lines of their own.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Parts(parts) => {
                let texts = parts.iter().filter_map(|part| match part {
                    Part::Text { text } => Some(text.as_str()),
                    Part::ImageUrl { .. } => None,
                });
                texts.collect::<Vec<_>>().join("\n")
            }
        }
    }

    pub(super) fn pictures(&self) -> impl Iterator<Item = &str> {
        let parts = match self {
            Self::Text(_) => &[],
            Self::Parts(parts) => parts.as_slice(),
        };
        parts.iter().filter_map(|part| match part {
            Part::ImageUrl { image_url } => Some(image_url.url.as_str()),
            Part::Text { .. } => None,
        })
    }
}
