use std::collections::{BTreeMap, BTreeSet, HashMap};

use actionfleet_proto::Timestamp;

use super::{
    row::Row,
    rules::{self, Decided},
    work::Work,
};
use crate::error::StoreError;

/// Calls that are decided one after the other and committed together.
#[derive(Debug, Default)]
pub(crate) struct Batch(Vec<Work>);

/// What is to be written, sorted by job id.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) inserts: Vec<Row>,
    pub(crate) updates: Vec<Row>,
}

/// Rows as they stand after the calls decided so far.
#[derive(Debug, Default)]
struct Rows {
    rows: HashMap<String, Row>,
    changed: BTreeSet<String>,
}

impl Rows {
    fn decide<A>(&mut self, job_id: &str, rule: impl FnOnce(Option<&Row>) -> Decided<A>) -> A {
        let (next, answer) = rule(self.rows.get(job_id));
        if let Some(row) = next {
            self.rows.insert(job_id.to_owned(), row);
            self.changed.insert(job_id.to_owned());
        }
        answer
    }
}

impl Batch {
    pub(crate) fn new(calls: Vec<Work>) -> Self {
        Self(calls)
    }

    /// Sorted, each once: in this order rows are locked.
    pub(crate) fn job_ids(&self) -> Vec<&str> {
        let ids: BTreeSet<&str> =
            self.0.iter().flat_map(Work::job_ids).map(String::as_str).collect();
        ids.into_iter().collect()
    }

    /// Decides calls that are all [`usual`](super::usual()), over the rows that are presumed.
    pub(crate) fn presume(&mut self, now: Timestamp) -> Changes {
        let mut changes = Changes::default();
        for work in &mut self.0 {
            match work {
                // made late, it would take the job from whoever has it by now
                Work::Claim(call) if !call.is_awaited() => {}
                Work::Claim(call) => {
                    let (row, answer) = rules::claim(None, &call.command, now);
                    call.answer = Some(answer);
                    changes.inserts.extend(row);
                }
                Work::Park(call) => {
                    let (claim, parked) = &call.command;
                    let held = rules::held(claim, now);
                    let (row, answer) = rules::park(Some(&held), claim, parked, now);
                    call.answer = Some(answer);
                    changes.updates.extend(row);
                }
                Work::Finish(call) => {
                    let (claim, outcome) = &call.command;
                    let held = rules::held(claim, now);
                    let (row, answer) = rules::finish(Some(&held), claim, outcome, now);
                    call.answer = Some(answer);
                    changes.updates.extend(row);
                }
                // nothing is presumed of these
                Work::Reopen(_) => {}
            }
        }
        for rows in [&mut changes.inserts, &mut changes.updates] {
            rows.sort_unstable_by(|one, other| one.entry.job_id.cmp(&other.entry.job_id));
        }
        changes
    }

    /// Decides every call over the rows that were loaded, as of now by the database's clock.
    pub(crate) fn decide(&mut self, loaded: HashMap<String, Row>, now: Timestamp) -> Changes {
        let known: BTreeSet<String> = loaded.keys().cloned().collect();
        let mut rows = Rows { rows: loaded, changed: BTreeSet::new() };
        for work in &mut self.0 {
            match work {
                // made late, it would take the job from whoever has it by now
                Work::Claim(call) if !call.is_awaited() => {}
                Work::Claim(call) => {
                    let claim = &call.command;
                    let rule = |row: Option<&Row>| rules::claim(row, claim, now);
                    call.answer = Some(rows.decide(&claim.job_id, rule));
                }
                Work::Park(call) => {
                    let (claim, parked) = &call.command;
                    let rule = |row: Option<&Row>| rules::park(row, claim, parked, now);
                    call.answer = Some(rows.decide(&claim.job_id, rule));
                }
                Work::Finish(call) => {
                    let (claim, outcome) = &call.command;
                    let rule = |row: Option<&Row>| rules::finish(row, claim, outcome, now);
                    call.answer = Some(rows.decide(&claim.job_id, rule));
                }
                Work::Reopen(call) => {
                    let ids = call.command.iter();
                    let open = ids.filter(|id| rows.decide(id, rules::reopen)).cloned();
                    call.answer = Some(open.collect());
                }
            }
        }
        rows.changes(&known)
    }

    /// Answers every call. Those of the jobs in `again` were not written, because somebody else
    /// wrote these rows first: they are yielded, to be decided anew.
    pub(crate) fn commit(self, again: &BTreeSet<String>) -> Vec<Work> {
        let touches = |work: &Work| work.job_ids().iter().any(|id| again.contains(id));
        let (redo, done): (Vec<_>, Vec<_>) = self.0.into_iter().partition(touches);
        for work in done {
            work.settle(Ok(()));
        }
        redo
    }

    /// The calls, when nothing was written.
    pub(crate) fn undone(self) -> Vec<Work> {
        self.0
    }

    /// Tells every caller why nothing was written.
    pub(crate) fn fail(self, error: &StoreError) {
        for work in self.0 {
            work.settle(Err(error.clone()));
        }
    }
}

impl Rows {
    fn changes(mut self, known: &BTreeSet<String>) -> Changes {
        let mut changes = Changes::default();
        let sorted: BTreeMap<String, Row> =
            self.changed.iter().filter_map(|id| self.rows.remove_entry(id)).collect();
        for (id, row) in sorted {
            if known.contains(&id) {
                changes.updates.push(row);
            } else {
                changes.inserts.push(row);
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{ledger::Queue, port::Claim};

    /// A worker that stopped, or lost the delivery, while its claim waited for the database.
    #[tokio::test]
    async fn a_claim_that_nobody_waits_for_is_not_made() {
        let now = Timestamp::from_unix_seconds(1_800_000_000).unwrap();
        let claim = |id: &str| Claim {
            job_id: id.to_owned(),
            attempt: 1,
            redelivered: true,
            fence: 1,
            sent_at: None,
            released: None,
            longest: Duration::MAX,
            tenant: "default".into(),
            action: "echo".into(),
            lane: "default".into(),
            enqueued_at: now,
        };
        for presumed in [false, true] {
            let (queue, mut calls) = Queue::<Work>::new(2);
            let given_up = queue.claim(claim("given-up"));
            assert!(tokio::time::timeout(Duration::ZERO, given_up).await.is_err());
            let (changes, _) = tokio::join!(
                async {
                    let calls = vec![calls.recv().await.unwrap(), calls.recv().await.unwrap()];
                    let mut batch = Batch::new(calls);
                    let changes = if presumed {
                        batch.presume(now)
                    } else {
                        batch.decide(HashMap::new(), now)
                    };
                    batch.commit(&BTreeSet::new());
                    changes
                },
                queue.claim(claim("awaited")),
            );
            let made: Vec<&str> = changes.inserts.iter().map(|row| &*row.entry.job_id).collect();
            assert_eq!(made, ["awaited"], "presumed: {presumed}");
        }
    }
}
