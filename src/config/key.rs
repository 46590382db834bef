//! A key as the table of all keys has it.

/// Stands for a lane's name in the names of keys.
const LANE: &str = "<lane>";

/// One thing that can be set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// What values look like, for people.
    pub(crate) kind: &'static str,
    /// As it would be written; empty for none.
    pub(crate) default: &'static str,
    pub(crate) about: &'static str,
    /// The value without its secrets.
    pub(crate) shown: fn(&str) -> String,
}

impl Key {
    /// Whether the key of a file, the environment or a flag is this one.
    pub(super) fn is(&self, name: &str) -> bool {
        match self.name.split_once(LANE) {
            None => self.name == name,
            Some((before, after)) => name
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after))
                .is_some_and(|lane| !lane.is_empty() && !lane.contains('.')),
        }
    }

    /// Whether there is one such key for each lane.
    pub(super) fn is_of_a_lane(&self) -> bool {
        self.name.contains(LANE)
    }

    /// The key's name for the lane that an unknown key may have meant.
    fn name_like(&self, unknown: &str) -> String {
        let lane = unknown.split('.').nth(1).filter(|lane| !lane.is_empty()).unwrap_or("default");
        self.name.replace(LANE, lane)
    }
}

/// The key that somebody who wrote `unknown` most likely meant.
pub(super) fn nearest<'a>(
    unknown: &str,
    keys: impl IntoIterator<Item = &'a Key>,
) -> Option<String> {
    const ALIKE: f64 = 0.6;
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    keys.into_iter()
        .map(|key| {
            let name = key.name_like(unknown);
            let whole = strsim::normalized_damerau_levenshtein(unknown, &name);
            // the right word under the wrong section, or under none
            let score = if last(unknown) == last(&name) { whole.max(ALIKE) } else { whole };
            (score, whole, name)
        })
        .filter(|(score, ..)| *score >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)))
        .map(|(.., name)| name)
}
