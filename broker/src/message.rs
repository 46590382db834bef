//! A message and where it goes, independent of the engine.

use std::time::Duration;

use bytes::Bytes;

/// Headers in the order they came. Values that are neither text nor whole numbers nor booleans
/// are not carried.
pub type Headers = Vec<(String, HeaderValue)>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderValue {
    Text(String),
    Number(i64),
    Bool(bool),
}

impl From<&str> for HeaderValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for HeaderValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for HeaderValue {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// The properties of AMQP 0-9-1 that the contract uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Properties {
    pub content_type: Option<String>,
    pub message_id: Option<String>,
    pub correlation_id: Option<String>,
    pub reply_to: Option<String>,
    /// The AMQP property `type`.
    pub kind: Option<String>,
    /// Seconds since 1970.
    pub timestamp: Option<u64>,
    /// Milliseconds, as text.
    pub expiration: Option<String>,
    pub app_id: Option<String>,
    pub headers: Headers,
}

impl Properties {
    pub fn header(&self, name: &str) -> Option<&HeaderValue> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// A header that is text.
    pub fn text_header(&self, name: &str) -> Option<&str> {
        match self.header(name) {
            Some(HeaderValue::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Adds a header, or replaces the one of the same name.
    pub fn set_header(&mut self, name: &str, value: impl Into<HeaderValue>) {
        let value = value.into();
        match self.headers.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => *old = value,
            None => self.headers.push((name.to_owned(), value)),
        }
    }
}

/// Published persistent, always.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    pub body: Bytes,
    pub properties: Properties,
}

/// Where a message goes: a closed set, translated by the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// The jobs of a lane.
    Lane(String),
    /// A lane, after a wait; the engine rounds up to whole seconds.
    Delayed { lane: String, delay: Duration },
    /// The dead letters.
    Dead,
    /// A queue by its name.
    Queue(String),
    /// Any exchange that a producer names.
    Exchange { exchange: String, routing_key: String },
    /// Whoever wants every result; nobody may be listening.
    Results { routing_key: String },
    /// Whoever wants notifications; nobody may be listening.
    Notifications { routing_key: String },
    /// Every worker; nobody may be listening.
    Control,
}

impl Address {
    /// Whether a message that reaches no queue is an error to its publisher.
    pub const fn must_arrive(&self) -> bool {
        !matches!(self, Self::Results { .. } | Self::Notifications { .. } | Self::Control)
    }
}
