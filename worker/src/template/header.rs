//! Headers with values in them.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::{InvalidTemplate, scope::Scope, text::Text};
use crate::handler::HandlerError;

/// Headers of the connection and of the message's framing are the HTTP client's.
const OURS: [&str; 8] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

#[derive(Debug)]
pub(super) enum HeaderTemplate {
    Fixed(HeaderName, HeaderValue),
    Dynamic { name: HeaderName, text: Text, sensitive: bool },
}

impl HeaderTemplate {
    pub(super) fn compile(name: &str, value: &str) -> Result<Self, InvalidTemplate> {
        let parsed = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| InvalidTemplate::new(format!("{name:?} is not the name of a header")))?;
        if OURS.contains(&parsed.as_str()) {
            let problem = "is set by the fleet itself; leave it out";
            return Err(InvalidTemplate::new(problem));
        }
        let text = Text::compile(value)?;
        if text.is_literal() {
            let value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|_| InvalidTemplate::new(format!("the value {CONTROL}")))?;
            return Ok(Self::Fixed(parsed, value));
        }
        let sensitive = text.takes_secret();
        Ok(Self::Dynamic { name: parsed, text, sensitive })
    }

    pub(super) fn render(
        &self,
        scope: &Scope<'_>,
        headers: &mut HeaderMap,
    ) -> Result<(), HandlerError> {
        let Self::Dynamic { name, text, sensitive } = self else { return Ok(()) };
        let mut value = String::new();
        text.render(scope, |part, _| value.push_str(part))?;
        // as UTF-8; RFC 9110 calls it opaque data (obs-text)
        let mut value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_| HandlerError::invalid_input(format!("headers.{name}"), CONTROL))?;
        value.set_sensitive(*sensitive);
        headers.insert(name.clone(), value);
        Ok(())
    }
}

const CONTROL: &str = "holds a line break or another control character, which no header can carry";
