//! Time on the wire: RFC 3339 timestamps and durations as text (`"1500ms"`, `"2s"`, `"1h 30m"`).

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use jiff::fmt::temporal::DateTimePrinter;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const MILLISECONDS: DateTimePrinter = DateTimePrinter::new().precision(Some(3));

/// A moment, RFC 3339 on the wire, to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    pub fn now() -> Self {
        Self(jiff::Timestamp::now())
    }

    /// `None` where the moment lies outside the years -9999 to 9999.
    pub fn from_unix_seconds(seconds: u64) -> Option<Self> {
        let seconds = i64::try_from(seconds).ok()?;
        jiff::Timestamp::from_second(seconds).ok().map(Self)
    }

    pub fn unix_seconds(self) -> u64 {
        u64::try_from(self.0.as_second()).unwrap_or(0)
    }

    /// The time from `earlier` to this moment; zero where `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::try_from(self.0.duration_since(earlier.0)).unwrap_or_default()
    }

    fn text(self) -> String {
        MILLISECONDS.timestamp_to_string(&self.0)
    }

    /// The last representable moment where the sum lies beyond it.
    pub fn after(self, span: Duration) -> Self {
        let span = jiff::SignedDuration::try_from(span).unwrap_or(jiff::SignedDuration::MAX);
        Self(self.0.saturating_add(span).unwrap_or(jiff::Timestamp::MAX))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl FromStr for Timestamp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| {
            format!("{text:?} is not an RFC 3339 time such as \"2027-01-31T08:30:00Z\"")
        })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

/// A length of time, on the wire text with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

impl Span {
    /// Longer ones are refused: nothing in this contract waits for more than a year.
    pub const MAX: Self = Self(Duration::from_secs(366 * 24 * 60 * 60));
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let span = humantime::parse_duration(text).map(Self).map_err(|_| {
            format!(
                "{text:?} is not a duration with a unit such as \"500ms\", \"30s\" or \"1h 30m\""
            )
        })?;
        if span > Self::MAX {
            return Err(format!("{text:?} is longer than a year"));
        }
        Ok(span)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "a duration with units: ms, s, m, h, d",
            "examples": ["500ms", "30s", "1h 30m"]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_need_a_unit_and_an_end() {
        assert_eq!("1500ms".parse(), Ok(Span(Duration::from_millis(1500))));
        assert_eq!("1h 30m".parse(), Ok(Span(Duration::from_secs(5400))));
        for bad in ["", "5", "-3s", "2 parsecs", "inf", "400d", "99999999999999999999s"] {
            assert!(bad.parse::<Span>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn timestamps_are_total() {
        let now = Timestamp::now();
        assert_eq!(now.since(now.after(Duration::from_secs(5))), Duration::ZERO);
        assert_eq!(now.after(Duration::from_secs(5)).since(now), Duration::from_secs(5));
        assert!(now.after(Duration::MAX) > now);
        assert!(Timestamp::from_unix_seconds(u64::MAX).is_none());
        let shown = "2026-11-21T01:02:03.5Z".parse::<Timestamp>().unwrap().to_string();
        assert_eq!(shown, "2026-11-21T01:02:03.500Z");
    }
}
