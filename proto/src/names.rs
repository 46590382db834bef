//! What identifiers may look like. Checked at every edge, so that no name needs quoting inside.

use std::fmt;

/// Which rule a name breaks; the text says what is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub struct InvalidName(&'static str);

impl InvalidName {
    pub(crate) const fn new(rule: &'static str) -> Self {
        Self(rule)
    }
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// A job's id: 1 to 128 of `A-Z a-z 0-9 . _ : -`.
pub fn check_job_id(id: &str) -> Result<(), InvalidName> {
    check(id, 128, ".:", "a job id has 1 to 128 characters of A-Z a-z 0-9 . _ : -")
}

/// An action, tenant or handler: 1 to 128 of `A-Z a-z 0-9 . _ -`.
pub fn check_identifier(name: &str) -> Result<(), InvalidName> {
    check(name, 128, ".", "an identifier has 1 to 128 characters of A-Z a-z 0-9 . _ -")
}

/// A definition, which is found by it: 1 to 64 of `A-Z a-z 0-9 . _ -`.
pub fn check_definition_identifier(name: &str) -> Result<(), InvalidName> {
    check(name, 64, ".", "a definition's identifier has 1 to 64 characters of A-Z a-z 0-9 . _ -")
}

/// A lane is one word of a routing key: 1 to 64 of `A-Z a-z 0-9 _ -`.
pub fn check_lane(lane: &str) -> Result<(), InvalidName> {
    check(lane, 64, "", "a lane has 1 to 64 characters of A-Z a-z 0-9 _ -")
}

fn check(text: &str, max: usize, more: &str, rule: &'static str) -> Result<(), InvalidName> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || more.contains(c);
    if text.is_empty() || text.len() > max || !text.chars().all(allowed) {
        return Err(InvalidName(rule));
    }
    Ok(())
}

/// `UUIDv7`: sorts by time, so that ledgers and logs do.
pub fn new_job_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// A name as one word of a topic routing key: dots separate words there, and a key has at most 255
/// bytes, so that a word is cut after 100.
pub fn routing_word(name: &str) -> String {
    let end = name.char_indices().nth(100).map_or(name.len(), |(end, _)| end);
    name.get(..end).unwrap_or(name).replace('.', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules() {
        for (name, id, identifier, lane) in [
            ("order-17", true, true, true),
            ("a.b", true, true, false),
            ("urn:x:1", true, false, false),
            ("", false, false, false),
            ("with space", false, false, false),
            ("é", false, false, false),
            ("x/../y", false, false, false),
        ] {
            assert_eq!(check_job_id(name).is_ok(), id, "job id {name:?}");
            assert_eq!(check_identifier(name).is_ok(), identifier, "identifier {name:?}");
            assert_eq!(check_lane(name).is_ok(), lane, "lane {name:?}");
        }
        assert!(check_job_id(&"x".repeat(129)).is_err());
        assert!(check_definition_identifier(&"x".repeat(64)).is_ok());
        assert!(check_definition_identifier(&"x".repeat(65)).is_err());
        assert!(check_job_id(&new_job_id()).is_ok());
    }
}
