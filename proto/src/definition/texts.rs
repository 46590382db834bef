//! What people read of a definition, by language.

use std::collections::BTreeMap;

use super::Problem;
use crate::names::InvalidName;

/// Characters of a name.
pub const NAME_MAX: usize = 190;
/// Characters of a description.
pub const DESCRIPTION_MAX: usize = 4000;
pub const LANGUAGES_MAX: usize = 64;

/// By language code.
pub type Texts = BTreeMap<String, String>;

/// A language code: 1 to 16 of `A-Z a-z 0-9 - _`, as `eng-GB`.
pub fn check_language(code: &str) -> Result<(), InvalidName> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if code.is_empty() || code.len() > 16 || !code.bytes().all(fits) {
        let rule = "a language code has 1 to 16 characters of A-Z a-z 0-9 - _, as eng-GB";
        return Err(InvalidName::new(rule));
    }
    Ok(())
}

/// What is wrong with a name, if anything is.
pub fn check_name(name: &str) -> Result<(), String> {
    if name.trim().is_empty() {
        return Err("is empty; give one, or leave the language out".to_owned());
    }
    if name.chars().any(char::is_control) {
        return Err("has a control character; leave it out".to_owned());
    }
    fits(name, NAME_MAX)
}

/// What is wrong with a description, if anything is.
pub fn check_description(description: &str) -> Result<(), String> {
    fits(description, DESCRIPTION_MAX)
}

fn fits(text: &str, most: usize) -> Result<(), String> {
    match text.chars().count() {
        length if length > most => {
            Err(format!("has {length} characters, and at most {most} fit; shorten it"))
        }
        _ => Ok(()),
    }
}

/// Everything that is wrong with the names and descriptions of a definition.
pub(super) fn problems(names: &Texts, descriptions: &Texts) -> Vec<Problem> {
    let mut problems = Vec::new();
    if names.len() > LANGUAGES_MAX {
        let problem = format!("are in {} languages; at most {LANGUAGES_MAX}", names.len());
        problems.push(Problem::new("names", problem));
    }
    for (language, name) in names {
        let field = format!("names.{language}");
        if let Err(rule) = check_language(language) {
            problems.push(Problem::new(field, rule.to_string()));
        } else if let Err(problem) = check_name(name) {
            problems.push(Problem::new(field, problem));
        }
    }
    for (language, description) in descriptions {
        let field = format!("descriptions.{language}");
        if !names.contains_key(language) {
            problems.push(Problem::new(field, format!("needs a name: give names.{language}, too")));
        } else if let Err(problem) = check_description(description) {
            problems.push(Problem::new(field, problem));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(language: &str, text: &str) -> Texts {
        [(language.to_owned(), text.to_owned())].into()
    }

    #[test]
    fn what_fits_and_what_does_not() {
        let none = Texts::new();
        for (names, descriptions, expected) in [
            (none.clone(), none.clone(), None),
            (texts("eng-GB", &"ä".repeat(190)), texts("eng-GB", &"ä".repeat(4000)), None),
            (
                texts("eng-GB", &"ä".repeat(191)),
                none.clone(),
                Some("names.eng-GB has 191 characters"),
            ),
            (texts("eng-GB", " "), none.clone(), Some("names.eng-GB is empty")),
            (
                texts("eng-GB", "a\u{1b}[2J"),
                none.clone(),
                Some("names.eng-GB has a control character"),
            ),
            (texts("en GB", "x"), none.clone(), Some("names.en GB a language code has")),
            (none, texts("eng-GB", "x"), Some("descriptions.eng-GB needs a name")),
            (
                texts("eng-GB", "x"),
                texts("eng-GB", &"x".repeat(4001)),
                Some("descriptions.eng-GB has 4001 characters"),
            ),
        ] {
            let found = problems(&names, &descriptions);
            let shown: Vec<_> = found
                .iter()
                .map(|Problem { field, problem }| format!("{field} {problem}"))
                .collect();
            assert_eq!(shown.len(), usize::from(expected.is_some()), "{shown:?}");
            assert!(shown.iter().all(|text| text.starts_with(expected.unwrap())), "{shown:?}");
        }
    }
}
