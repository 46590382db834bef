//! A message's properties as JSON, which any tool for SQLite shows. The names are the file's
//! format: they stay when the port's are changed.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::message::{HeaderValue, Properties};

/// Tells where a message comes from that the engine moved to the dead letters. Read, but never
/// taken from a publisher.
const MOVED_FROM: &str = "x-first-death-queue";

type Text<'a> = Option<Cow<'a, str>>;

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_type: Text<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_id: Text<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    correlation_id: Text<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply_to: Text<'a>,
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Text<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expiration: Text<'a>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    app_id: Text<'a>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<(Cow<'a, str>, Value<'a>)>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Value<'a> {
    Bool(bool),
    Number(i64),
    Text(Cow<'a, str>),
}

/// What a publisher sent.
pub(super) fn published(properties: &Properties) -> String {
    write(properties, None)
}

/// What the engine itself moves from a queue to another; there it does not expire.
pub(super) fn moved(mut properties: Properties, from: &str) -> String {
    properties.expiration = None;
    write(&properties, Some(from))
}

fn write(properties: &Properties, from: Option<&str>) -> String {
    let mut headers: Vec<_> = properties
        .headers
        .iter()
        .filter(|(name, _)| name != MOVED_FROM)
        .map(|(name, value)| {
            let value = match value {
                HeaderValue::Text(text) => Value::Text(text.into()),
                HeaderValue::Number(number) => Value::Number(*number),
                HeaderValue::Bool(yes) => Value::Bool(*yes),
            };
            (Cow::from(name), value)
        })
        .collect();
    headers.extend(from.map(|from| (MOVED_FROM.into(), Value::Text(from.into()))));
    let stored = Stored {
        content_type: properties.content_type.as_deref().map(Cow::from),
        message_id: properties.message_id.as_deref().map(Cow::from),
        correlation_id: properties.correlation_id.as_deref().map(Cow::from),
        reply_to: properties.reply_to.as_deref().map(Cow::from),
        kind: properties.kind.as_deref().map(Cow::from),
        timestamp: properties.timestamp,
        expiration: properties.expiration.as_deref().map(Cow::from),
        app_id: properties.app_id.as_deref().map(Cow::from),
        headers,
    };
    serde_json::to_string(&stored).unwrap_or_default()
}

/// What does not read is without properties: its consumer says what it lacks.
pub(super) fn read(text: &str) -> Properties {
    let stored: Stored<'_> = match serde_json::from_str(text) {
        Ok(stored) => stored,
        Err(error) => {
            tracing::warn!(%error, "the properties of a stored message do not read");
            return Properties::default();
        }
    };
    let owned = |field: Text<'_>| field.map(Cow::into_owned);
    let headers = stored.headers.into_iter().map(|(name, value)| {
        let value = match value {
            Value::Text(text) => HeaderValue::Text(text.into_owned()),
            Value::Number(number) => HeaderValue::Number(number),
            Value::Bool(yes) => HeaderValue::Bool(yes),
        };
        (name.into_owned(), value)
    });
    Properties {
        content_type: owned(stored.content_type),
        message_id: owned(stored.message_id),
        correlation_id: owned(stored.correlation_id),
        reply_to: owned(stored.reply_to),
        kind: owned(stored.kind),
        timestamp: stored.timestamp,
        expiration: owned(stored.expiration),
        app_id: owned(stored.app_id),
        headers: headers.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_go_there_and_back() {
        let properties = Properties {
            content_type: Some("application/json".into()),
            message_id: Some("m\u{0}\"".into()),
            correlation_id: Some("c".into()),
            reply_to: Some("r".into()),
            kind: Some("t".into()),
            timestamp: Some(1_795_000_000),
            expiration: Some("60000".into()),
            app_id: Some("a".into()),
            headers: vec![
                ("flag".into(), HeaderValue::Bool(true)),
                ("n".into(), HeaderValue::Number(i64::MIN)),
                ("traceparent".into(), HeaderValue::Text("true".into())),
                ("twice".into(), HeaderValue::Text("1".into())),
                ("twice".into(), HeaderValue::Number(1)),
            ],
        };
        assert_eq!(read(&published(&properties)), properties);
        assert_eq!(published(&Properties::default()), "{}");
        assert_eq!(read("{}"), Properties::default());
        assert_eq!(read("no json"), Properties::default());
    }

    #[test]
    fn only_the_engine_says_where_a_message_comes_from() {
        let mut properties = Properties { expiration: Some("1".into()), ..Properties::default() };
        properties.set_header(MOVED_FROM, "forged");
        assert_eq!(read(&published(&properties)).text_header(MOVED_FROM), None);
        let moved = read(&moved(properties, "q"));
        assert_eq!((moved.text_header(MOVED_FROM), &moved.expiration), (Some("q"), &None));
    }
}
