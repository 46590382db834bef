//! Cuts values to a number of bytes of JSON, at character boundaries, with a marker. Total:
//! whatever comes in, something that fits comes out.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};

/// Bytes of JSON of an error's `message`.
pub const MESSAGE_MAX: usize = 2_000;
/// Bytes of JSON of an error's `service_response`.
pub const SERVICE_RESPONSE_MAX: usize = 4_000;
/// Of the backend's body in it; the rest is for its status and request id.
pub const SERVICE_BODY_MAX: usize = SERVICE_RESPONSE_MAX - 200;
/// Bytes of JSON of a whole error.
pub const ERROR_MAX: usize = 16_384;

/// Ends a text that was cut.
pub const TRUNCATED: &str = "… [truncated]";

/// The least limit that [`cut_value`] can keep with its markers.
const LEAST: usize = 160;

pub(crate) fn json_len(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |json| json.len())
}

/// `text` so that its JSON string has at most `max` bytes, quotes included.
pub fn cut_text(text: &str, max: usize) -> Cow<'_, str> {
    // a character becomes at most six bytes of JSON (\u0000)
    if text.len().saturating_mul(6).saturating_add(2) <= max || json_len(&text) <= max {
        return Cow::Borrowed(text);
    }
    let budget = max.saturating_sub(json_len(&TRUNCATED));
    let mut used = 0;
    let kept: String = text
        .chars()
        .take_while(|c| {
            used += escaped_len(*c);
            used <= budget
        })
        .collect();
    Cow::Owned(kept + TRUNCATED)
}

/// Bytes of one character inside a JSON string, as `serde_json` writes it.
fn escaped_len(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if c < ' ' => 6,
        c => c.len_utf8(),
    }
}

/// `value` in at most `max` bytes of JSON (at least 160). A text is cut; of a list the first
/// items are kept and counted; of an object a preview of its JSON is kept.
pub fn cut_value(value: Value, max: usize) -> Value {
    let max = max.max(LEAST);
    if json_len(&value) <= max {
        return value;
    }
    match value {
        Value::String(text) => Value::String(cut_text(&text, max).into_owned()),
        Value::Array(items) => cut_list(items, max),
        other => {
            let json = other.to_string();
            let shell = json!({"preview": "", "_isTruncatedObject": true});
            let preview = cut_text(&json, max.saturating_sub(json_len(&shell)) + 2);
            json!({"preview": preview, "_isTruncatedObject": true})
        }
    }
}

fn cut_list(items: Vec<Value>, max: usize) -> Value {
    let total = items.len();
    let shell = json!({"sample": [], "totalCount": total, "_isTruncatedList": true});
    let mut left = max.saturating_sub(json_len(&shell));
    let mut sample = Vec::new();
    for item in items {
        let cost = json_len(&item) + 1;
        if cost > left {
            break;
        }
        left -= cost;
        sample.push(item);
    }
    json!({"sample": sample, "totalCount": total, "_isTruncatedList": true})
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            ".{0,400}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 40, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(".{0,20}", inner, 0..8)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn values_fit(value in any_json(), max in LEAST..3000) {
            let cut = cut_value(value.clone(), max);
            prop_assert!(json_len(&cut) <= max);
            if json_len(&value) <= max {
                prop_assert_eq!(cut, value);
            }
        }

        #[test]
        fn texts_fit_and_are_prefixes(text in "[\\x00-\\u{10ffff}]{0,200}", max in 20usize..400) {
            let cut = cut_text(&text, max);
            prop_assert!(json_len(&cut) <= max);
            let kept = cut.strip_suffix(TRUNCATED).unwrap_or(&cut);
            prop_assert!(text.starts_with(kept));
        }
    }

    #[test]
    fn a_cut_says_so() {
        assert_eq!(cut_text(&"é".repeat(100), 50), format!("{}{TRUNCATED}", "é".repeat(16)));
        let list = cut_value(json!(vec!["x".repeat(60); 9]), 200);
        assert_eq!(
            (list["totalCount"].clone(), list["_isTruncatedList"].clone()),
            (json!(9), json!(true))
        );
    }
}
