use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The longest wait that a backend can ask for.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(60 * 60);

/// How long a backend asks to wait: `retry-after-ms` (milliseconds, as OpenAI and Azure send it),
/// else `Retry-After` in seconds, also with a fraction, or as a date (RFC 9110, section 10.2.3).
///
/// At most [`RETRY_AFTER_MAX`]. `None` where neither header makes sense; a date in the past is no
/// wait at all.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let wait = text("retry-after-ms").and_then(|millis| seconds(millis, 1000.0)).or_else(|| {
        let value = text(RETRY_AFTER.as_str())?;
        seconds(value, 1.0).or_else(|| date(value, now))
    })?;
    Some(wait.min(RETRY_AFTER_MAX))
}

fn seconds(number: &str, per_second: f64) -> Option<Duration> {
    let seconds = number.parse::<f64>().ok()? / per_second;
    // also refuses NaN
    if !(0.0..f64::INFINITY).contains(&seconds) {
        return None;
    }
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(RETRY_AFTER_MAX))
}

fn date(value: &str, now: SystemTime) -> Option<Duration> {
    let until = httpdate::parse_http_date(value).ok()?;
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21 12:00:00 UTC.
    fn noon() -> SystemTime {
        httpdate::parse_http_date("Sat, 21 Nov 2026 12:00:00 GMT").unwrap()
    }

    fn read(headers: &[(&'static str, &str)]) -> Option<Duration> {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        retry_after(&headers.collect(), noon())
    }

    #[test]
    fn reads_what_makes_sense_and_nothing_else() {
        let ms = |ms| Some(Duration::from_millis(ms));
        for (value, expected) in [
            ("0", ms(0)),
            ("7", ms(7000)),
            (" 7 ", ms(7000)),
            ("0.2", ms(200)),
            ("1e3", ms(1_000_000)),
            ("3600", ms(3_600_000)),
            ("99999", Some(RETRY_AFTER_MAX)),
            ("1e300", Some(RETRY_AFTER_MAX)),
            ("99999999999999999999999999", Some(RETRY_AFTER_MAX)),
            ("Sat, 21 Nov 2026 12:00:30 GMT", ms(30_000)),
            ("Saturday, 21-Nov-26 12:00:30 GMT", ms(30_000)),
            ("Sat, 21 Nov 2026 11:00:00 GMT", ms(0)),
            ("Wed, 21 Nov 2096 12:00:30 GMT", Some(RETRY_AFTER_MAX)),
            ("-3", None),
            ("-0.1", None),
            ("NaN", None),
            ("inf", None),
            ("-inf", None),
            ("1e999", None),
            ("", None),
            ("soon", None),
            ("7 s", None),
        ] {
            assert_eq!(read(&[("retry-after", value)]), expected, "{value:?}");
        }
    }

    #[test]
    fn milliseconds_go_first_where_they_read() {
        let ms = |ms| Some(Duration::from_millis(ms));
        assert_eq!(read(&[("retry-after-ms", "250"), ("retry-after", "1")]), ms(250));
        assert_eq!(read(&[("retry-after-ms", "-1"), ("retry-after", "1")]), ms(1000));
        assert_eq!(read(&[("retry-after-ms", "1e9")]), Some(RETRY_AFTER_MAX));
        assert_eq!(read(&[]), None);
    }

    proptest::proptest! {
        #[test]
        fn total(value in "[ -~]{0,30}", millis in "[ -~]{0,30}") {
            let wait = read(&[("retry-after", &value), ("retry-after-ms", &millis)]);
            proptest::prop_assert!(wait.is_none_or(|wait| wait <= RETRY_AFTER_MAX));
        }
    }
}
