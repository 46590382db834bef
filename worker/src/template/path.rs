//! Paths into JSON: `data.results[0].name`.

use std::fmt;

use serde_json::Value;

/// Keys and indices. A leading `$.` is allowed; a key with other characters stands in brackets
/// and quotes: `data['first name']`. The empty path and `$` lead to the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path:?} is not a path: {problem}; a path looks like data.results[0].name")]
pub struct InvalidPath {
    path: String,
    problem: &'static str,
}

impl Path {
    pub fn parse(path: &str) -> Result<Self, InvalidPath> {
        let invalid = |problem| InvalidPath { path: path.to_owned(), problem };
        let mut rest = path.strip_prefix('$').unwrap_or(path);
        if path.starts_with('$') && !rest.is_empty() && !rest.starts_with(['.', '[']) {
            return Err(invalid("`$` is followed by a dot or a bracket"));
        }
        // the first key needs no dot
        let mut key_may_follow = !path.starts_with('$');
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let (step, after) = bracket(inner).map_err(invalid)?;
                steps.push(step);
                rest = after;
            } else {
                let key = match rest.strip_prefix('.') {
                    Some(key) if !steps.is_empty() || path.starts_with('$') => key,
                    None if key_may_follow => rest,
                    _ => return Err(invalid("a dot is missing or too many")),
                };
                let end = key.find(['.', '[', ']']).unwrap_or(key.len());
                let (key, after) = key.split_at(end);
                if key.is_empty() {
                    return Err(invalid("a key is empty"));
                }
                if key.contains(['\'', '"']) {
                    return Err(invalid("a key with a quote stands in brackets"));
                }
                steps.push(Step::Key(key.to_owned()));
                rest = after;
            }
            key_may_follow = false;
        }
        Ok(Self { steps })
    }

    /// What the path leads to; `None` where it leads nowhere.
    pub fn find<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        find(&self.steps, value)
    }

    pub(super) fn into_steps(self) -> Vec<Step> {
        self.steps
    }
}

pub(super) fn find<'a>(steps: &[Step], value: &'a Value) -> Option<&'a Value> {
    steps.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.as_object()?.get(key),
        Step::Index(index) => value.as_array()?.get(*index),
    })
}

/// What stands in brackets, and the rest behind them.
fn bracket(inner: &str) -> Result<(Step, &str), &'static str> {
    for quote in ['\'', '"'] {
        let Some(quoted) = inner.strip_prefix(quote) else { continue };
        let (key, after) = quoted.split_once(quote).ok_or("a quote is not closed")?;
        let after = after.strip_prefix(']').ok_or("a bracket is not closed")?;
        return Ok((Step::Key(key.to_owned()), after));
    }
    let (index, after) = inner.split_once(']').ok_or("a bracket is not closed")?;
    // `parse` alone would take `+1`
    let digits = index.bytes().all(|byte| byte.is_ascii_digit());
    let index = digits.then(|| index.parse().ok()).flatten();
    Ok((Step::Index(index.ok_or("brackets hold an index from 0, or a key in quotes")?), after))
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.steps.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if key.is_empty() || key.contains(['.', '[', ']', '$']) => {
                    let quote = if key.contains('\'') { '"' } else { '\'' };
                    write!(f, "[{quote}{key}{quote}]")?;
                }
                Step::Key(key) => write!(f, "{}{key}", if at > 0 { "." } else { "" })?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn leads_to_keys_and_indices() {
        let value = json!({
            "data": {"results": [{"name": "John Doe"}, [1, 2]], "first name": 3, "a.b": 4, "-": 5},
            "": 6
        });
        for (path, found) in [
            ("data.results[0].name", Some(json!("John Doe"))),
            ("$.data.results[0].name", Some(json!("John Doe"))),
            ("$['data']['results'][1][0]", Some(json!(1))),
            ("data['first name']", Some(json!(3))),
            ("data.first name", Some(json!(3))),
            ("data[\"a.b\"]", Some(json!(4))),
            ("data.-", Some(json!(5))),
            ("['']", Some(json!(6))),
            ("data.results[2]", None),
            ("data.results.name", None),
            ("data[0]", None),
            ("Data", None),
        ] {
            assert_eq!(Path::parse(path).unwrap().find(&value).cloned(), found, "{path}");
        }
        for whole in ["", "$"] {
            assert_eq!(Path::parse(whole).unwrap().find(&value), Some(&value));
        }
    }

    #[test]
    fn refuses_what_is_no_path() {
        for path in [
            ".",
            "a..b",
            ".a",
            "a.",
            "$a",
            "$..a",
            "a[",
            "a[]",
            "a[-1]",
            "a[+1]",
            "a[x]",
            "a['b",
            "a['b'",
            "a]",
            "[0]a",
            "a[99999999999999999999999]",
            "a[*]",
        ] {
            assert!(Path::parse(path).is_err(), "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn reads_back_what_it_shows(path in "[a-z.$\\[\\]'\"0-9\\- ]{0,24}") {
            if let Ok(path) = Path::parse(&path) {
                proptest::prop_assert_eq!(Path::parse(&path.to_string()), Ok(path));
            }
        }
    }
}
