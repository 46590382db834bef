//! What of a topology the broker does not have.

use std::fmt;

/// Names of exchanges and queues, in the topology's order. Its text gathers numbered ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing {
    pub exchanges: Vec<String>,
    pub queues: Vec<String>,
}

impl Missing {
    pub const fn is_empty(&self) -> bool {
        self.exchanges.is_empty() && self.queues.is_empty()
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [("exchange", &self.exchanges), ("queue", &self.queues)];
        let kinds = || kinds.into_iter().filter(|(_, names)| !names.is_empty());
        let counts = kinds().map(|(kind, names)| match names.len() {
            1 => format!("1 {kind}"),
            count => format!("{count} {kind}s"),
        });
        write!(f, "the broker lacks {}", counts.collect::<Vec<_>>().join(" and "))?;
        for (kind, names) in kinds() {
            write!(f, "\n  {kind}s: {}", gathered(names).join(", "))?;
        }
        Ok(())
    }
}

/// Names that follow each other.
struct Run<'a> {
    first: &'a str,
    /// The stem and the number of the last one, where it is numbered.
    last: Option<(&'a str, u32)>,
    several: bool,
}

/// `x.0`, `x.1`, `x.2` as `x.0 to 2`.
fn gathered(names: &[String]) -> Vec<String> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    for name in names {
        let numbered = name
            .rsplit_once('.')
            .and_then(|(stem, number)| Some((stem, number.parse::<u32>().ok()?)));
        let before = numbered.and_then(|(stem, number)| Some((stem, number.checked_sub(1)?)));
        match runs.last_mut() {
            Some(run) if before.is_some() && run.last == before => {
                (run.last, run.several) = (numbered, true);
            }
            _ => runs.push(Run { first: name, last: numbered, several: false }),
        }
    }
    let shown = runs.into_iter().map(|Run { first, last, several }| match last {
        Some((_, last)) if several => format!("{first} to {last}"),
        _ => first.to_owned(),
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_names_are_gathered() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let missing = Missing {
            exchanges: names(&[
                "a.jobs",
                "a.delay.0",
                "a.delay.1",
                "a.delay.2",
                "b.3",
                "a.delay.5",
            ]),
            queues: names(&["a.jobs.9"]),
        };
        assert_eq!(
            missing.to_string(),
            "the broker lacks 6 exchanges and 1 queue\n  \
             exchanges: a.jobs, a.delay.0 to 2, b.3, a.delay.5\n  queues: a.jobs.9"
        );
        assert!(!missing.is_empty() && Missing::default().is_empty());
    }
}
