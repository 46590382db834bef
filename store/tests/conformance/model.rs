//! Random sequences of calls over a few jobs, against a model of what a ledger promises.

use actionfleet_proto::Timestamp;
use actionfleet_store::{Claim, Claimed, Finished, Ledger, Released, Why};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};

use crate::place::{Place, claim, outcome, parked};

const CASES: usize = 150;

#[derive(Debug, Clone)]
enum Step {
    /// A message of the job arrives: its attempt, whether it was delivered before, and of which
    /// submission it is, if it says so.
    Deliver {
        attempt: u32,
        redelivered: bool,
        submission: Option<u64>,
    },
    /// Somebody who was told to execute, by number, is done.
    Finish(usize),
    /// … gives up, and spends an attempt or none.
    Park(usize, bool),
    Reopen,
}

/// What the ledger promises, in the terms of who is owed what; not how it keeps it.
#[derive(Debug, Default)]
struct Model {
    /// Every claim that was told to execute, in order.
    executing: Vec<Claim>,
    /// The one that may record.
    holder: Option<u64>,
    /// Who held last, while the job waits.
    parked_by: Option<u64>,
    /// When the message of the last claim was sent.
    sent_at: Option<Timestamp>,
    /// The attempt that runs or is next; 0 before the first.
    attempt: u32,
    reopened: bool,
    outcome: Option<(u64, String)>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1..4_u32, any::<bool>(), option::of(0..2_u64)).prop_map(
            |(attempt, redelivered, submission)| Step::Deliver { attempt, redelivered, submission }
        ),
        2 => (0..8_usize).prop_map(Step::Finish),
        2 => (0..8_usize, any::<bool>()).prop_map(|(who, spend)| Step::Park(who, spend)),
        1 => Just(Step::Reopen),
    ];
    vec(step, 1..20)
}

pub async fn every_sequence_of_calls_follows_the_rules(place: &Place) {
    let ledger = place.open().await.ledger;
    let mut runner = TestRunner::new(Config::default());
    for _ in 0..CASES {
        let sequence = steps().new_tree(&mut runner).unwrap().current();
        let job = claim();
        let mut model = Model::default();
        for (number, step) in sequence.iter().enumerate() {
            model.take(&*ledger, &job, number, step, &sequence).await;
        }
    }
}

impl Model {
    async fn take(
        &mut self,
        ledger: &dyn Ledger,
        job: &Claim,
        number: usize,
        step: &Step,
        all: &[Step],
    ) {
        let why = || format!("step {number}, {step:?}, of {all:#?}");
        match *step {
            Step::Deliver { attempt, redelivered, submission } => {
                let fence = u64::try_from(number).unwrap() + 1;
                let sent_at = submission
                    .map(|ms| job.enqueued_at.after(std::time::Duration::from_millis(ms)));
                let claim = Claim { attempt, redelivered, sent_at, fence, ..job.clone() };
                let answer = ledger.claim(claim.clone()).await.unwrap();
                assert_eq!(answer, self.deliver(claim), "{}", why());
            }
            Step::Finish(who) => {
                let Some(claim) = self.pick(who) else { return };
                let text = number.to_string();
                let answer = ledger.finish(&claim, outcome(&text)).await.unwrap();
                assert_eq!(answer, self.finish(&claim, text), "{}", why());
            }
            Step::Park(who, spend) => {
                let Some(claim) = self.pick(who) else { return };
                let next = claim.attempt + u32::from(spend);
                let parked = parked(next, Why::Retrying);
                let answer = ledger.park(&claim, parked).await.unwrap();
                assert_eq!(answer, self.park(&claim, next), "{}", why());
            }
            Step::Reopen => {
                let answer = ledger.reopen(vec![job.job_id.clone()]).await.unwrap();
                assert_eq!(!answer.is_empty(), self.reopen(), "{}", why());
            }
        }
    }

    fn pick(&self, who: usize) -> Option<Claim> {
        let count = self.executing.len().max(1);
        self.executing.get(who % count).cloned()
    }

    fn deliver(&mut self, claim: Claim) -> Claimed {
        if let Some((_, text)) = &self.outcome {
            return Claimed::Recorded(Box::new(outcome(text)));
        }
        let both_say = self.sent_at.is_some() && claim.sent_at.is_some();
        let is_same = !both_say || self.sent_at == claim.sent_at;
        let was_lost = claim.redelivered && is_same;
        if claim.attempt < self.attempt {
            return if was_lost { Claimed::Superseded } else { Claimed::Busy };
        }
        if self.holder.is_some() && claim.attempt == self.attempt && !was_lost {
            return Claimed::Busy;
        }
        (self.attempt, self.sent_at) = (claim.attempt, claim.sent_at);
        (self.holder, self.parked_by, self.reopened) = (Some(claim.fence), None, false);
        self.executing.push(claim);
        Claimed::Execute
    }

    fn finish(&mut self, claim: &Claim, text: String) -> Finished {
        if let Some((by, before)) = &self.outcome {
            let is_own = *by == claim.fence;
            let before = Finished::Already(Box::new(outcome(before)));
            return if is_own { Finished::Recorded } else { before };
        }
        let holds = self.holder == Some(claim.fence);
        let nobody_holds = self.holder.is_none() && !self.reopened && self.attempt <= claim.attempt;
        if !holds && !nobody_holds {
            return Finished::TakenOver;
        }
        self.outcome = Some((claim.fence, text));
        self.holder = None;
        Finished::Recorded
    }

    fn park(&mut self, claim: &Claim, next: u32) -> Released {
        let by = Some(claim.fence);
        if self.outcome.is_none() && self.holder == by {
            (self.holder, self.parked_by, self.attempt) = (None, by, next);
            return Released::Parked;
        }
        let is_parked = self.outcome.is_none() && self.holder.is_none() && self.parked_by == by;
        if is_parked { Released::Parked } else { Released::TakenOver }
    }

    fn reopen(&mut self) -> bool {
        if let Some((by, _)) = self.outcome.take() {
            (self.holder, self.parked_by, self.attempt) = (None, Some(by), 1);
            self.reopened = true;
        }
        self.reopened
    }
}
