//! Our messages as AMQP 0-9-1 writes them, and back.

use actionfleet_proto::{Argument, Names};
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, ShortString},
};

use actionfleet_proto::DelayRoute;

use crate::message::{Address, HeaderValue, Headers, Properties};

/// Set by the broker on messages that it moved itself: which queue they come from, and why. Read,
/// but never copied onto another message, where the broker would leave them as they stand.
const MOVED: [&str; 4] =
    ["x-first-death-queue", "x-first-death-reason", "x-last-death-queue", "x-last-death-reason"];
/// Set by the broker for its own bookkeeping.
const BROKER_HEADERS: [&str; 3] = ["x-death", "x-first-death-exchange", "x-last-death-exchange"];
/// Bytes of headers that are carried: with what the fleet adds, a copy's header must fit into one
/// frame of 128 KiB, or the broker ends the connection.
const CARRIED: usize = 64 * 1024;
const DELIVERY_COUNT: &str = "x-delivery-count";
const PERSISTENT: u8 = 2;

/// A name longer than AMQP's short strings can carry: 255 bytes.
#[derive(Debug)]
pub(super) struct TooLong;

pub(super) fn short(text: &str) -> Result<ShortString, TooLong> {
    ShortString::try_new(text.to_owned()).map_err(|_| TooLong)
}

/// The exchange and the routing key of an address.
pub(super) fn route(names: &Names, to: &Address) -> Result<(ShortString, ShortString), TooLong> {
    let (exchange, key) = match to {
        Address::Lane(lane) => (names.jobs(), lane.clone()),
        Address::Delayed { lane, delay } => {
            let route = DelayRoute::new(*delay, lane);
            (names.delay(route.level), route.routing_key)
        }
        Address::Dead => (String::new(), names.dead()),
        Address::Queue(queue) => (String::new(), queue.clone()),
        Address::Exchange { exchange, routing_key } => (exchange.clone(), routing_key.clone()),
        Address::Results { routing_key } => (names.results(), routing_key.clone()),
        Address::Notifications { routing_key } => (names.notifications(), routing_key.clone()),
        Address::Control => (names.control(), String::new()),
    };
    Ok((short(&exchange)?, short(&key)?))
}

pub(super) fn to_amqp(properties: Properties) -> Result<BasicProperties, TooLong> {
    let mut amqp = BasicProperties::default().with_delivery_mode(PERSISTENT);
    macro_rules! copy {
        ($($field:ident $with:ident,)+) => {
            $(if let Some(text) = properties.$field {
                amqp = amqp.$with(ShortString::try_new(text).map_err(|_| TooLong)?);
            })+
        };
    }
    copy! {
        content_type with_content_type,
        message_id with_message_id,
        correlation_id with_correlation_id,
        reply_to with_reply_to,
        kind with_type,
        expiration with_expiration,
        app_id with_app_id,
    }
    if let Some(seconds) = properties.timestamp {
        amqp = amqp.with_timestamp(seconds);
    }
    if !properties.headers.is_empty() {
        let mut table = FieldTable::default();
        for (name, value) in properties.headers {
            if MOVED.contains(&name.as_str()) {
                continue;
            }
            let value = match value {
                HeaderValue::Text(text) => AMQPValue::LongString(text.into()),
                HeaderValue::Number(number) => AMQPValue::LongLongInt(number),
                HeaderValue::Bool(yes) => AMQPValue::Boolean(yes),
            };
            table.insert(ShortString::try_new(name).map_err(|_| TooLong)?, value);
        }
        amqp = amqp.with_headers(table);
    }
    Ok(amqp)
}

/// The properties, and how often the message was delivered before.
pub(super) fn from_amqp(amqp: &BasicProperties) -> (Properties, u64) {
    let text = |field: &Option<ShortString>| field.as_ref().map(ToString::to_string);
    let (headers, delivery_count) = amqp.headers().as_ref().map(read_headers).unwrap_or_default();
    let properties = Properties {
        content_type: text(amqp.content_type()),
        message_id: text(amqp.message_id()),
        correlation_id: text(amqp.correlation_id()),
        reply_to: text(amqp.reply_to()),
        kind: text(amqp.kind()),
        timestamp: *amqp.timestamp(),
        expiration: text(amqp.expiration()),
        app_id: text(amqp.app_id()),
        headers,
    };
    (properties, delivery_count)
}

fn read_headers(table: &FieldTable) -> (Headers, u64) {
    let mut delivery_count = 0;
    let mut headers = Headers::new();
    let mut left = CARRIED;
    for (name, value) in table {
        let value = match value {
            AMQPValue::LongString(text) => match std::str::from_utf8(text.as_bytes()) {
                Ok(text) => HeaderValue::Text(text.to_owned()),
                Err(_) => continue,
            },
            AMQPValue::ShortString(text) => HeaderValue::Text(text.to_string()),
            AMQPValue::Boolean(yes) => HeaderValue::Bool(*yes),
            other => match whole_number(other) {
                Some(number) => HeaderValue::Number(number),
                None => continue,
            },
        };
        match value {
            HeaderValue::Number(count) if name.as_str() == DELIVERY_COUNT => {
                delivery_count = u64::try_from(count).unwrap_or(0);
            }
            _ if BROKER_HEADERS.contains(&name.as_str()) => {}
            value => {
                let size = name.as_str().len() + size(&value);
                if size <= left {
                    left -= size;
                    headers.push((name.to_string(), value));
                }
            }
        }
    }
    (headers, delivery_count)
}

fn size(value: &HeaderValue) -> usize {
    match value {
        HeaderValue::Text(text) => text.len(),
        HeaderValue::Number(_) | HeaderValue::Bool(_) => 8,
    }
}

fn whole_number(value: &AMQPValue) -> Option<i64> {
    match *value {
        AMQPValue::ShortShortInt(n) => Some(n.into()),
        AMQPValue::ShortShortUInt(n) => Some(n.into()),
        AMQPValue::ShortInt(n) => Some(n.into()),
        AMQPValue::ShortUInt(n) => Some(n.into()),
        AMQPValue::LongInt(n) => Some(n.into()),
        AMQPValue::LongUInt(n) => Some(n.into()),
        AMQPValue::LongLongInt(n) => Some(n),
        AMQPValue::Timestamp(n) => i64::try_from(n).ok(),
        _ => None,
    }
}

pub(super) fn arguments<'a>(
    arguments: impl IntoIterator<Item = (&'a String, &'a Argument)>,
) -> Result<FieldTable, TooLong> {
    let mut table = FieldTable::default();
    for (key, value) in arguments {
        let value = match value {
            Argument::Text(text) => AMQPValue::LongString(text.clone().into()),
            Argument::Number(number) => AMQPValue::LongLongInt(*number),
        };
        table.insert(short(key)?, value);
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_go_there_and_back() {
        let properties = Properties {
            content_type: Some("application/json".into()),
            message_id: Some("m".into()),
            correlation_id: Some("c".into()),
            reply_to: Some("r".into()),
            kind: Some("t".into()),
            timestamp: Some(1_795_000_000),
            expiration: Some("60000".into()),
            app_id: Some("a".into()),
            headers: vec![
                ("flag".into(), HeaderValue::Bool(true)),
                ("n".into(), HeaderValue::Number(-3)),
                ("traceparent".into(), HeaderValue::Text("00-x".into())),
            ],
        };
        let amqp = to_amqp(properties.clone()).unwrap();
        assert_eq!(from_amqp(&amqp), (properties, 0));
    }

    #[test]
    fn the_brokers_own_headers_are_not_carried_on() {
        let mut table = FieldTable::default();
        table.insert("x-delivery-count".into(), AMQPValue::LongLongInt(4));
        table.insert("x-death".into(), AMQPValue::FieldArray(Vec::new().into()));
        for name in MOVED {
            table.insert(name.into(), AMQPValue::LongString("q".into()));
        }
        let amqp = BasicProperties::default().with_headers(table);
        let (properties, delivery_count) = from_amqp(&amqp);
        assert_eq!(delivery_count, 4);
        assert_eq!(properties.headers, MOVED.map(|name| (name.to_owned(), "q".into())));
        assert_eq!(from_amqp(&to_amqp(properties).unwrap()).0.headers, []);
    }

    #[test]
    fn headers_that_no_frame_could_carry_on_are_left_behind() {
        let mut table = FieldTable::default();
        for number in 0..120 {
            let text = AMQPValue::LongString("x".repeat(1_000).into());
            table.insert(format!("h{number}").into(), text);
        }
        table.insert("long".into(), AMQPValue::LongString("x".repeat(CARRIED).into()));
        table.insert("traceparent".into(), AMQPValue::LongString("00-x".into()));
        let headers = read_headers(&table).0;
        let carried: usize = headers.iter().map(|(name, value)| name.len() + size(value)).sum();
        assert!((CARRIED - 1_010..=CARRIED).contains(&carried), "{carried} bytes");
        assert_eq!(headers.last().unwrap().0, "traceparent", "what still fits is carried");
    }

    #[test]
    fn what_amqp_cannot_carry_is_an_error_not_a_panic() {
        let long = "x".repeat(256);
        assert!(route(&Names::default(), &Address::Queue(long.clone())).is_err());
        assert!(to_amqp(Properties { reply_to: Some(long), ..Properties::default() }).is_err());
    }
}
