//! What an action works on: exactly one of five kinds, each as lists inside.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeMap};
use serde_json::Value;

use crate::{job::Map, strict::strict_value};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    Text,
    Image,
    Audio,
    Json,
    Arguments,
}

impl fmt::Display for InputKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Json => "json",
            Self::Arguments => "arguments",
        })
    }
}

/// A job's input. Lists are never empty.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    Text(Vec<String>),
    Image(Vec<Media>),
    Audio(Vec<Media>),
    Json(Value),
    /// Of a custom or integration action, by name.
    Arguments(Map),
}

impl Input {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(vec![text.into()])
    }

    pub fn kind(&self) -> InputKind {
        match self {
            Self::Text(_) => InputKind::Text,
            Self::Image(_) => InputKind::Image,
            Self::Audio(_) => InputKind::Audio,
            Self::Json(_) => InputKind::Json,
            Self::Arguments(_) => InputKind::Arguments,
        }
    }
}

/// A picture or a sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    pub source: MediaSource,
    /// IANA media type, where the producer names it.
    pub content_type: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaSource {
    Base64(String),
    Url(String),
}

impl Media {
    /// A bare base64 string, a data URL (RFC 2397) or an `http(s)` URL.
    fn from_text(text: String) -> Result<Self, &'static str> {
        if let Some(rest) = text.strip_prefix("data:") {
            let (head, data) = rest.split_once(',').ok_or("a data URL needs a comma")?;
            let content_type =
                head.strip_suffix(";base64").ok_or("only base64 data URLs are supported")?;
            let content_type = (!content_type.is_empty()).then(|| content_type.to_owned());
            return Ok(Self { source: MediaSource::Base64(data.to_owned()), content_type });
        }
        let source = if text.starts_with("https://") || text.starts_with("http://") {
            MediaSource::Url(text)
        } else {
            MediaSource::Base64(text)
        };
        Ok(Self { source, content_type: None })
    }
}

// === the wire ===

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "Input")]
pub(crate) struct WireInput {
    /// A text or a list of texts.
    text: Option<OneOrMany<String>>,
    /// A picture or a list of pictures.
    image: Option<OneOrMany<WireMedia>>,
    /// A sound or a list of sounds.
    audio: Option<OneOrMany<WireMedia>>,
    /// Any JSON value.
    #[serde(default, deserialize_with = "strict_value")]
    json: Option<Value>,
    /// Values by name, of a custom or integration action.
    #[serde(default, deserialize_with = "strict_value")]
    arguments: Option<Map>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a value or a list of values of the right type")]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn into_list<E: de::Error>(self, field: &str) -> Result<Vec<T>, E> {
        match self {
            Self::One(item) => Ok(vec![item]),
            Self::Many(items) if items.is_empty() => {
                Err(E::custom(format!("`{field}` is an empty list; give at least one")))
            }
            Self::Many(items) => Ok(items),
        }
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a base64 string, a data URL, or an object with `base64` or `url`")]
enum WireMedia {
    Text(String),
    Object {
        #[serde(skip_serializing_if = "Option::is_none")]
        base64: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        content_type: Option<String>,
    },
}

impl WireMedia {
    fn into_media(self) -> Result<Media, &'static str> {
        match self {
            Self::Text(text) => Media::from_text(text),
            Self::Object { base64: Some(data), url: None, content_type } => {
                let mut media = Media::from_text(data)?;
                media.content_type = content_type.or(media.content_type);
                Ok(media)
            }
            Self::Object { base64: None, url: Some(url), content_type } => {
                let mut media = Media::from_text(url)?;
                media.content_type = content_type.or(media.content_type);
                Ok(media)
            }
            Self::Object { .. } => Err("give exactly one of `base64` and `url`"),
        }
    }
}

impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = WireInput::deserialize(deserializer)?;
        let mut given = Vec::new();
        if let Some(text) = wire.text {
            given.push(Self::Text(text.into_list("text")?));
        }
        if let Some(image) = wire.image {
            given.push(Self::Image(media_list(image, "image")?));
        }
        if let Some(audio) = wire.audio {
            given.push(Self::Audio(media_list(audio, "audio")?));
        }
        if let Some(json) = wire.json {
            given.push(Self::Json(json));
        }
        if let Some(arguments) = wire.arguments {
            given.push(Self::Arguments(arguments));
        }
        match (given.pop(), given.is_empty()) {
            (Some(input), true) => Ok(input),
            _ => Err(de::Error::custom(
                "give exactly one of `text`, `image`, `audio`, `json`, `arguments`",
            )),
        }
    }
}

fn media_list<E: de::Error>(wire: OneOrMany<WireMedia>, field: &str) -> Result<Vec<Media>, E> {
    wire.into_list(field)?
        .into_iter()
        .map(|media| media.into_media().map_err(|why| E::custom(format!("`{field}`: {why}"))))
        .collect()
}

impl Serialize for Input {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::Text(list) => match list.as_slice() {
                [one] => map.serialize_entry("text", one)?,
                many => map.serialize_entry("text", many)?,
            },
            Self::Image(list) | Self::Audio(list) => {
                map.serialize_entry(&self.kind().to_string(), list)?;
            }
            Self::Json(value) => map.serialize_entry("json", value)?,
            Self::Arguments(arguments) => map.serialize_entry("arguments", arguments)?,
        }
        map.end()
    }
}

impl Serialize for Media {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (base64, url) = match &self.source {
            MediaSource::Base64(data) => (Some(data.clone()), None),
            MediaSource::Url(url) => (None, Some(url.clone())),
        };
        WireMedia::Object { base64, url, content_type: self.content_type.clone() }
            .serialize(serializer)
    }
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
