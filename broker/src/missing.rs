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

/// `x.0`, `x.1`, `x.2` as `x.0 to 2`.
fn gathered(names: &[String]) -> Vec<String> {
    let mut runs: Vec<(&str, Option<(&str, u32)>, bool)> = Vec::new();
    for name in names {
        let numbered = name
            .rsplit_once('.')
            .and_then(|(stem, number)| Some((stem, number.parse::<u32>().ok()?)));
        let before = numbered.and_then(|(stem, number)| Some((stem, number.checked_sub(1)?)));
        match runs.last_mut() {
            Some((_, last, gathered)) if before.is_some() && *last == before => {
                (*last, *gathered) = (numbered, true);
            }
            _ => runs.push((name, numbered, false)),
        }
    }
    let shown = runs.into_iter().map(|(first, last, gathered)| match last {
        Some((_, last)) if gathered => format!("{first} to {last}"),
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
