//! The text of one file as a tree, whatever its format, and where in the text a field stands.

use std::path::Path;

use actionfleet_proto::{StrictValue, definition::Problem};
use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Yaml,
    Json,
    Toml,
}

/// What is wrong, and the line from 1 where it can be told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Located {
    pub(super) line: Option<usize>,
    pub(super) problem: Problem,
}

impl Format {
    /// By the file's extension; `None` for files that are no definitions, such as a README.
    pub(super) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            "toml" => Some(Self::Toml),
            _ => None,
        }
    }

    /// Refuses duplicate keys in all formats, and documents that grow by aliases.
    pub(super) fn parse(self, text: &str) -> Result<Value, Located> {
        let unreadable = |line: Option<usize>, problem: String| Located {
            line,
            problem: Problem::new(".", first_line(&problem)),
        };
        let value = match self {
            Self::Json => serde_json::from_str::<StrictValue>(text)
                .map_err(|error| unreadable(Some(error.line()), error.to_string())),
            Self::Toml => toml::from_str::<StrictValue>(text).map_err(|error| {
                let line = error.span().and_then(|span| line_at(text, span.start));
                unreadable(line, error.message().to_owned())
            }),
            Self::Yaml => {
                let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
                serde_saphyr::from_str_with_options::<StrictValue>(text, options).map_err(|error| {
                    let line = error.location().and_then(|at| usize::try_from(at.line()).ok());
                    unreadable(line, error.to_string())
                })
            }
        };
        value.map(|StrictValue(value)| value)
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or(text)
}

fn line_at(text: &str, offset: usize) -> Option<usize> {
    Some(text.get(..offset)?.matches('\n').count() + 1)
}

/// The line of a field, from 1: for each key of the path the next line that begins with it. A
/// good guess in all three formats, which keeps their parsers out of it.
pub(super) fn line_of(text: &str, field: &str) -> Option<usize> {
    let mut found = None;
    let mut lines = text.lines().enumerate().peekable();
    for key in field.split(['.', '[']).filter(|key| !key.is_empty() && !key.ends_with(']')) {
        // keys of a flow mapping share their line
        while let Some((at, line)) = lines.peek() {
            if names(line, key) {
                found = Some(at + 1);
                break;
            }
            lines.next();
        }
        lines.peek()?;
    }
    found
}

/// Whether the line has the key of a mapping: `key:`, `"key":`, `key =`, `[key]`.
fn names(line: &str, key: &str) -> bool {
    line.match_indices(key).any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default();
        let after = line.get(at + key.len()..).unwrap_or_default();
        let after = after.trim_start_matches(['"', '\'']).trim_start();
        let starts =
            before.is_empty() || before.ends_with([' ', '\t', '"', '\'', '{', ',', '[', '.']);
        starts && after.starts_with([':', '=', ']', '.'])
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_tree_from_every_format() {
        let expected = json!({"kind": "x", "on": true, "n": 20, "models": {"a-b": {"max": 1}}});
        for (format, text) in [
            (Format::Yaml, "kind: x\n\"on\": true\nn: 20\nmodels:\n  a-b: {max: 1}\n"),
            (Format::Json, r#"{"kind": "x", "on": true, "n": 20, "models": {"a-b": {"max": 1}}}"#),
            (Format::Toml, "kind = 'x'\non = true\nn = 20\n[models.a-b]\nmax = 1\n"),
        ] {
            assert_eq!(format.parse(text).unwrap(), expected, "{format:?}");
        }
    }

    #[test]
    fn unreadable_text_has_a_line() {
        for (format, text, line) in [
            (Format::Yaml, "a: 1\nb: [\n", None),
            (Format::Yaml, "a: 1\na: 2\n", Some(2)),
            (Format::Json, "{\n\"a\": 1,\n}", Some(3)),
            (Format::Json, "{\"a\": 1,\n\"a\": 2}", Some(2)),
            (Format::Toml, "a = 1\nb = \n", Some(2)),
        ] {
            let error = format.parse(text).unwrap_err();
            assert!(line.is_none() || error.line == line, "{format:?} {text:?}: {error:?}");
            assert!(!error.problem.problem.contains('\n'));
        }
    }

    #[test]
    fn bombs_are_refused() {
        let level = |level: usize| {
            let items = if level == 0 { "x,".into() } else { format!("*a{},", level - 1) };
            format!("a{level}: &a{level} [{}]\n", items.repeat(10))
        };
        let yaml: String = (0..9).map(level).collect();
        assert!(Format::Yaml.parse(&yaml).is_err());
        let deep = "[".repeat(100_000);
        for format in [Format::Yaml, Format::Json] {
            assert!(format.parse(&deep).is_err());
        }
        assert!(Format::Toml.parse(&format!("a = {deep}")).is_err());
    }

    #[test]
    fn fields_are_found() {
        let yaml =
            "kind: http_action\nretry:\n  max_attempts: 3\nbody:\n  a: {b: 1}\n  url: x\nurl: y\n";
        let json = "{\n  \"kind\": \"x\",\n  \"retry\": {\n    \"max_attempts\": 3}}";
        let toml = "kind = 'x'\n[models.m]\nlabel = 'l'\n";
        for (text, field, line) in [
            (yaml, "retry.max_attempts", Some(3)),
            (yaml, "body.a.b", Some(5)),
            (yaml, "body.url", Some(6)),
            (yaml, "nothing", None),
            (yaml, ".", None),
            (json, "retry.max_attempts", Some(4)),
            (toml, "models.m", Some(2)),
            (toml, "models.m.label", Some(3)),
        ] {
            assert_eq!(line_of(text, field), line, "{field}");
        }
    }
}
