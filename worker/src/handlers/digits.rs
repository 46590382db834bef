//! Whole numbers of more than 64 bits, which JSON can write and a worker cannot hold.

use actionfleet_proto::{Code, Output};
use serde_json::Value;

use crate::handler::HandlerError;

/// Refuses an output in which a whole number of the response is not what it was: beyond 64 bits it
/// was read as a float and rounded.
pub(super) fn exact(output: Output, response: &[u8]) -> Result<Output, HandlerError> {
    let Output::Json(value) = &output else { return Ok(output) };
    // looking through the text is only worth it where such a number may have been
    if !any_number(value, &mut |float| float.fract() == 0.0 && float.abs() >= BEYOND) {
        return Ok(output);
    }
    let lost = long_integers(response)
        .find(|(_, rounded)| any_number(value, &mut |float| float.to_bits() == rounded.to_bits()));
    let Some((digits, _)) = lost else { return Ok(output) };
    let message = format!(
        "the response holds {digits}, a whole number of more than 64 bits, which would lose digits; \
         have the backend send it as a string, or let response.path lead past it"
    );
    Err(HandlerError::of(Code::MappingFailed, message))
}

/// Where whole numbers stop fitting 64 bits with a sign: 2^63.
const BEYOND: f64 = 9_223_372_036_854_775_808.0;

fn any_number(value: &Value, is: &mut impl FnMut(f64) -> bool) -> bool {
    match value {
        Value::Number(number) if number.is_f64() => number.as_f64().is_some_and(is),
        Value::Array(items) => items.iter().any(|item| any_number(item, is)),
        Value::Object(map) => map.values().any(|item| any_number(item, is)),
        _ => false,
    }
}

/// The whole numbers of a JSON text that fit neither `i64` nor `u64`, and what they were read as.
fn long_integers(json: &[u8]) -> impl Iterator<Item = (&str, f64)> {
    // the shortest of them has 19 digits
    numbers(json).filter(|number| number.len() >= 19).filter_map(|number| {
        let whole = number.strip_prefix('-').unwrap_or(number);
        let fits = number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok();
        let is_long = !fits && whole.bytes().all(|byte| byte.is_ascii_digit());
        is_long.then(|| number.parse().ok().map(|rounded| (number, rounded))).flatten()
    })
}

/// The numbers of a text that is JSON, as they are written.
fn numbers(json: &[u8]) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    let tokens = json.split(move |byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            _ => {}
        }
        quoted || !(byte.is_ascii_digit() || b"+-.eE".contains(byte))
    });
    tokens.filter_map(|token| std::str::from_utf8(token).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(json: &str) -> Result<Output, HandlerError> {
        exact(Output::Json(serde_json::from_str(json).unwrap()), json.as_bytes())
    }

    #[test]
    fn whole_numbers_keep_their_digits_or_are_refused() {
        for (json, lost) in [
            ("18446744073709551615", None),
            ("-9223372036854775808", None),
            ("18446744073709551616", Some("18446744073709551616")),
            (r#"{"a": [1, {"id":-9223372036854775809}]}"#, Some("-9223372036854775809")),
            ("[12345678901234567890123,1]", Some("12345678901234567890123")),
            // floats, however they are written, are what they were
            ("[1e300, 1.5e20, 9007199254740993.0, 0.1, 1E+22]", None),
            (
                r#"{"1": "12345678901234567890123", "\"": "\\", "a\"12345678901234567890123": 1e22}"#,
                None,
            ),
        ] {
            match (check(json), lost) {
                (Ok(_), None) => {}
                (Err(error), Some(digits)) => {
                    assert_eq!(error.code, Code::MappingFailed);
                    let start = format!("the response holds {digits}, a whole number");
                    assert!(error.message.starts_with(&start), "{error}");
                }
                (result, _) => panic!("{json}: {result:?}"),
            }
        }
    }

    #[test]
    fn what_is_not_in_the_output_does_not_matter() {
        let response = br#"{"id": 12345678901234567890123, "n": 1e300, "m": 7}"#;
        for output in [Value::Null, 7.into(), 1e300.into()] {
            assert!(exact(Output::Json(output), response).is_ok());
        }
        assert!(exact(Output::Text(vec!["12345678901234567890123".into()]), response).is_ok());
        let id = serde_json::from_slice::<Value>(response).unwrap()["id"].clone();
        assert!(exact(Output::Json(id), response).is_err());
    }

    proptest! {
        #[test]
        fn exactly_those_beyond_64_bits(digits in "-?[1-9][0-9]{16,24}", text in ".{0,20}") {
            let json = format!("{{{}: [{digits}, {}]}}", Value::from(&*text), Value::from(text));
            let fits = digits.parse::<i64>().is_ok() || digits.parse::<u64>().is_ok();
            prop_assert_eq!(check(&json).is_ok(), fits, "{}", json);
        }
    }
}
