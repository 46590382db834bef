//! What can be presumed of rows without a look at them.

use std::collections::HashMap;

use super::work::Work;

/// Most calls are a job's first claim, or the last word of its holder: the first finds no row, the
/// other finds its own claim. Both are written on that presumption, by statements that check it.
/// Yields these calls, and the rest; every call of a job of which there are several is of the rest.
pub(crate) fn usual(calls: Vec<Work>) -> (Vec<Work>, Vec<Work>) {
    let mut counts: HashMap<&str, u32> = HashMap::with_capacity(calls.len());
    for id in calls.iter().flat_map(Work::job_ids) {
        *counts.entry(id).or_default() += 1;
    }
    let alone = |work: &Work| work.job_ids().iter().all(|id| counts.get(&**id) == Some(&1));
    let usual: Vec<bool> = calls.iter().map(|work| is_usual(work) && alone(work)).collect();
    let mut usual = usual.into_iter();
    calls.into_iter().partition(|_| usual.next().unwrap_or(false))
}

fn is_usual(work: &Work) -> bool {
    match work {
        Work::Claim(call) => {
            let claim = &call.command;
            claim.attempt == 1 && !claim.redelivered && claim.released.is_none()
        }
        Work::Park(_) | Work::Finish(_) => true,
        Work::Reopen(_) => false,
    }
}
