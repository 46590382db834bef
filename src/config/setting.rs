//! How values are written: every kind of value reads itself from text.

use std::{
    num::{NonZeroU16, NonZeroU32},
    path::PathBuf,
};

use actionfleet_proto::{Span, check_identifier, check_lane};
use ipnet::IpNet;
use tracing_subscriber::EnvFilter;

pub(crate) trait Setting: Sized {
    /// What values look like, for people.
    const KIND: &'static str;

    /// The error says what is wrong and what would be right, and shows no secret.
    fn parse(text: &str) -> Result<Self, String>;

    /// The value without its secrets.
    fn shown(text: &str) -> String {
        text.to_owned()
    }
}

/// Nothing where the text is empty.
impl<T: Setting> Setting for Option<T> {
    const KIND: &'static str = T::KIND;

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(None) } else { T::parse(text).map(Some) }
    }

    fn shown(text: &str) -> String {
        T::shown(text)
    }
}

impl Setting for Span {
    const KIND: &'static str = "duration";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl Setting for PathBuf {
    const KIND: &'static str = "path";

    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.into())
    }
}

impl Setting for NonZeroU16 {
    const KIND: &'static str = "1 to 65535";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("{text:?} is not a whole number from 1 to 65535"))
    }
}

impl Setting for NonZeroU32 {
    const KIND: &'static str = "whole number from 1";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| format!("{text:?} is not a whole number from 1"))
    }
}

/// A share, above 0 up to 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ratio(pub(crate) f64);

impl Setting for Ratio {
    const KIND: &'static str = "above 0 to 1";

    fn parse(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(ratio) if ratio > 0.0 && ratio <= 1.0 => Ok(Self(ratio)),
            _ => Err(format!("{text:?} is not a number above 0 to 1 such as 0.5")),
        }
    }
}

/// A number of bytes, at least one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ByteSize(pub(crate) usize);

impl Setting for ByteSize {
    const KIND: &'static str = "bytes";

    fn parse(text: &str) -> Result<Self, String> {
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end();
        let unit = text.get(digits.len()..).unwrap_or_default().trim_start();
        let factor: Option<usize> = match unit {
            "" | "B" => Some(1),
            "KiB" => Some(1 << 10),
            "MiB" => Some(1 << 20),
            "GiB" => Some(1 << 30),
            _ => None,
        };
        factor
            .and_then(|factor| digits.parse::<usize>().ok()?.checked_mul(factor))
            .filter(|bytes| *bytes > 0)
            .map(Self)
            .ok_or_else(|| format!("{text:?} is not a size such as \"16MiB\" or \"65536\""))
    }
}

/// A name that needs no quoting anywhere.
#[derive(Debug, Clone)]
pub(crate) struct Word(pub(crate) String);

impl Setting for Word {
    const KIND: &'static str = "identifier";

    fn parse(text: &str) -> Result<Self, String> {
        check_identifier(text).map_err(|rule| format!("{text:?}: {rule}"))?;
        Ok(Self(text.to_owned()))
    }
}

/// Names of lanes with commas between; empty for all.
#[derive(Debug, Clone)]
pub(crate) struct LaneList(pub(crate) Vec<String>);

impl Setting for LaneList {
    const KIND: &'static str = "list of lanes";

    fn parse(text: &str) -> Result<Self, String> {
        items(text)
            .map(|lane| match check_lane(lane) {
                Ok(()) => Ok(lane.to_owned()),
                Err(rule) => Err(format!("{lane:?}: {rule}")),
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// Networks with commas between.
#[derive(Debug, Clone)]
pub(crate) struct Networks(pub(crate) Vec<IpNet>);

impl Setting for Networks {
    const KIND: &'static str = "list of networks";

    fn parse(text: &str) -> Result<Self, String> {
        items(text)
            .map(|network| {
                network.parse().map_err(|_| {
                    format!("{network:?} is not a network such as \"10.0.0.0/8\" or \"fd00::/8\"")
                })
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// What to log, in the syntax of `tracing_subscriber::EnvFilter`.
#[derive(Debug, Clone)]
pub(crate) struct LogFilter(pub(crate) String);

impl Setting for LogFilter {
    const KIND: &'static str = "log filter";

    fn parse(text: &str) -> Result<Self, String> {
        EnvFilter::try_new(text).map_err(|error| {
            format!("{text:?} is not a log filter such as \"info,lapin=warn\": {error}")
        })?;
        Ok(Self(text.to_owned()))
    }
}

fn items(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}
