//! What action types can name.

use std::collections::BTreeSet;

use actionfleet_proto::definition::{ActionType, Problem};

use super::nearest::nearest;

/// Names that are listed where none comes near.
const LISTED: usize = 10;

#[derive(Debug, Default)]
pub(super) struct Known<'a> {
    pub(super) providers: BTreeSet<&'a str>,
    pub(super) handlers: BTreeSet<&'a str>,
    /// What is there for all tenants, where these are of one.
    pub(super) shared: Option<&'a Self>,
}

impl<'a> Known<'a> {
    /// What the action type names and is not there.
    pub(super) fn problems(&self, definition: &ActionType) -> Vec<Problem> {
        type Names<'a> = for<'k> fn(&'k Known<'a>) -> &'k BTreeSet<&'a str>;
        let named: [(&str, &Option<String>, Names<'a>); 2] = [
            ("provider", &definition.provider, |known| &known.providers),
            ("handler", &definition.handler, |known| &known.handlers),
        ];
        let unknown = named.into_iter().filter_map(|(field, name, names)| {
            let name = name.as_deref()?;
            let layers = || std::iter::successors(Some(self), |known| known.shared);
            if layers().any(|known| names(known).contains(name)) {
                return None;
            }
            let known: Vec<&str> = layers().flat_map(names).copied().collect();
            let problem = format!("no {field} is called {name:?}; {}", hint(field, name, &known));
            Some(Problem::new(field, problem))
        });
        unknown.collect()
    }
}

fn hint(field: &str, name: &str, known: &[&str]) -> String {
    if let Some(near) = nearest(name, known.iter().copied()) {
        return format!("did you mean {near}?");
    }
    if known.is_empty() {
        return format!("there is none; define the {field}");
    }
    let listed: Vec<&str> = known.iter().copied().take(LISTED).collect();
    let more = if known.len() > LISTED { " and others" } else { "" };
    format!("there are {}{more}", listed.join(", "))
}
