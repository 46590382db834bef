//! JSON of any shape with duplicate keys refused: two readers of `{"a":1,"a":2}` disagree, and
//! the gap between them is where filters are bypassed (RFC 8259, section 4).

use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// For `#[serde(deserialize_with)]` on fields of free form.
pub fn strict_value<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStrict,
{
    T::from_strict(deserializer)
}

/// What a field of free form may be: any value, an object, or nothing.
pub trait FromStrict: Sized {
    fn from_strict<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

impl FromStrict for Value {
    fn from_strict<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Strict.deserialize(deserializer)
    }
}

impl FromStrict for Option<Value> {
    fn from_strict<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Strict.deserialize(deserializer).map(Some)
    }
}

impl FromStrict for Map<String, Value> {
    fn from_strict<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::from_strict(deserializer).map(Option::unwrap_or_default)
    }
}

impl FromStrict for Option<Map<String, Value>> {
    fn from_strict<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Strict.deserialize(deserializer)? {
            Value::Null => Ok(None),
            Value::Object(map) => Ok(Some(map)),
            _ => Err(de::Error::custom("expected an object")),
        }
    }
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Self)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let value = access.next_value_seed(Self)?;
            if map.contains_key(&key) {
                return Err(de::Error::custom(format!("duplicate field `{key}`")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

/// A whole document, read strictly.
#[derive(Debug, PartialEq)]
pub struct StrictValue(pub Value);

impl<'de> Deserialize<'de> for StrictValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::from_strict(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicate_keys_are_refused_at_any_depth() {
        for (json, ok) in [
            (r#"{"a":1,"b":[{"c":null}]}"#, true),
            (r#"{"a":1,"a":1}"#, false),
            (r#"{"x":[{"deep":{"k":1,"k":2}}]}"#, false),
            ("[1.5,-3,true,\"x\",18446744073709551615]", true),
            ("1e400", false),
        ] {
            assert_eq!(serde_json::from_str::<StrictValue>(json).is_ok(), ok, "{json}");
        }
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_serde_json_where_keys_are_unique(keys in proptest::collection::btree_set("[a-z]{1,4}", 0..8), n: i64, text: String) {
            let value = serde_json::json!({"n": n, "map": keys.iter().map(|k| (k.clone(), Value::from(text.clone()))).collect::<Map<_, _>>()});
            let read: StrictValue = serde_json::from_str(&value.to_string()).unwrap();
            proptest::prop_assert_eq!(read.0, value);
        }
    }
}
