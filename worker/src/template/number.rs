//! Numbers keep their digits, or are refused.

use std::borrow::Cow;

use serde_json::{Number, Value};

/// From here on a float skips whole numbers: 2^53.
const FLOAT_EXACT: f64 = 9_007_199_254_740_992.0;

/// A number without an exponent: `1000000`, `0.00001`, `29.99`. `None` where digits were lost.
pub(super) fn text(number: &Number) -> Option<String> {
    if !is_exact(number) {
        return None;
    }
    Some(match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 => format!("{float:.1}"),
        Some(float) if number.is_f64() => float.to_string(),
        _ => number.to_string(),
    })
}

/// Whether every number in the value is what the producer wrote. A whole number beyond 64 bits was
/// read as a float and rounded.
pub(super) fn all_exact(value: &Value) -> bool {
    match value {
        Value::Number(number) => is_exact(number),
        Value::Array(items) => items.iter().all(all_exact),
        Value::Object(map) => map.values().all(all_exact),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

fn is_exact(number: &Number) -> bool {
    let float = if number.is_f64() { number.as_f64() } else { None };
    float.is_none_or(|float| float.fract() != 0.0 || float.abs() < FLOAT_EXACT)
}

/// What stands for a value inside a text; the error says why nothing can.
pub(super) fn value_text(value: &Value) -> Result<Cow<'_, str>, &'static str> {
    match value {
        Value::String(text) => Ok(Cow::Borrowed(text)),
        Value::Bool(true) => Ok(Cow::Borrowed("true")),
        Value::Bool(false) => Ok(Cow::Borrowed("false")),
        Value::Number(number) => text(number).map(Cow::Owned).ok_or(INEXACT),
        Value::Null => Err("is null; give a value"),
        Value::Array(_) => Err("is a list, which cannot stand inside a text"),
        Value::Object(_) => Err("is an object, which cannot stand inside a text"),
    }
}

pub(super) const INEXACT: &str =
    "has more digits than a JSON number can carry; send it as a string";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keep_their_digits() {
        for (json, shown) in [
            ("0", Some("0")),
            ("-7", Some("-7")),
            ("1000000", Some("1000000")),
            ("20251121", Some("20251121")),
            ("9007199254740993", Some("9007199254740993")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("-9223372036854775808", Some("-9223372036854775808")),
            ("29.99", Some("29.99")),
            ("0.1", Some("0.1")),
            ("1.0", Some("1.0")),
            ("-0.0", Some("-0.0")),
            ("0.00001", Some("0.00001")),
            ("1e-7", Some("0.0000001")),
            ("1e6", Some("1000000.0")),
            ("18446744073709551616", None),
            ("-9223372036854775809", None),
            ("9007199254740993.0", None),
            ("1e300", None),
        ] {
            let number = serde_json::from_str(json).unwrap();
            assert_eq!(text(&number).as_deref(), shown, "{json}");
            let nested = serde_json::json!({"a": [number]});
            assert_eq!(all_exact(&nested), shown.is_some(), "{json}");
        }
    }

    proptest::proptest! {
        #[test]
        fn read_back(float: f64, integer: i64) {
            for number in Number::from_f64(float).into_iter().chain([integer.into()]) {
                let Some(text) = text(&number) else { continue };
                proptest::prop_assert!(!text.contains(['e', 'E']));
                let back: Number = serde_json::from_str(&text).unwrap();
                proptest::prop_assert_eq!(back.as_f64(), number.as_f64());
                proptest::prop_assert_eq!(back.as_i64(), number.as_i64());
            }
        }
    }
}
