//! Many at once, from two processes' worth of stores, started together by a barrier.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use actionfleet_store::{Claim, Claimed, Finished, Ledger, StoreError};
use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio::sync::Barrier;

use crate::place::{Place, again, claim, copy, outcome};

const MANY: usize = 16;
const ROUNDS: usize = 20;

async fn two(place: &Place) -> [Arc<dyn Ledger>; 2] {
    [place.open().await.ledger, place.open().await.ledger]
}

/// Runs all at once and yields what each said.
async fn together<A, F>(calls: Vec<F>) -> Vec<A>
where
    A: Send + 'static,
    F: Future<Output = A> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(calls.len()));
    let tasks: FuturesUnordered<_> = calls
        .into_iter()
        .map(|call| {
            let barrier = barrier.clone();
            tokio::spawn(async move {
                barrier.wait().await;
                call.await
            })
        })
        .collect();
    tasks.map(Result::unwrap).collect().await
}

pub async fn of_many_first_claims_one_executes(place: &Place) {
    let ledgers = two(place).await;
    for _ in 0..ROUNDS {
        let first = claim();
        let calls = (0..MANY).map(|number| {
            let (ledger, claim) = (ledgers[number % 2].clone(), copy(&first, 1));
            async move { ledger.claim(claim).await.unwrap() }
        });
        let answers = together(calls.collect()).await;
        let executed = answers.iter().filter(|it| **it == Claimed::Execute).count();
        let busy = answers.iter().filter(|it| **it == Claimed::Busy).count();
        assert_eq!((executed, busy), (1, MANY - 1));
    }
}

pub async fn of_many_takeovers_the_last_one_records(place: &Place) {
    let ledgers = two(place).await;
    for _ in 0..ROUNDS {
        let first = claim();
        let calls = (0..MANY).map(|number| {
            let (ledger, claim) = (ledgers[number % 2].clone(), again(&first));
            async move {
                assert_eq!(ledger.claim(claim.clone()).await.unwrap(), Claimed::Execute);
                (ledger, claim)
            }
        });
        let holders = together(calls.collect()).await;
        let calls =
            holders.into_iter().map(|(ledger, claim): (Arc<dyn Ledger>, Claim)| async move {
                let mine = outcome(&claim.fence.to_string());
                (claim.fence, ledger.finish(&claim, mine).await.unwrap())
            });
        let mut counts = BTreeMap::new();
        let mut recorded = None;
        let answers = together(calls.collect()).await;
        for (fence, answer) in &answers {
            match answer {
                Finished::Recorded => recorded = Some(outcome(&fence.to_string())),
                Finished::TakenOver | Finished::Already(_) => {}
            }
            *counts.entry(matches!(answer, Finished::Recorded)).or_insert(0) += 1;
        }
        assert_eq!(counts[&true], 1, "{answers:?}");
        let recorded = recorded.unwrap();
        for (_, answer) in answers {
            assert!(!matches!(answer, Finished::Already(other) if *other != recorded));
        }
        let replayed = ledgers[0].claim(again(&first)).await.unwrap();
        assert_eq!(replayed, Claimed::Recorded(Box::new(recorded)));
    }
}

pub async fn an_outcome_wins_against_a_takeover_or_loses_to_it(place: &Place) {
    #[derive(Debug)]
    enum Answer {
        Finished(Finished),
        Claimed(Claimed),
    }

    let ledgers = two(place).await;
    let (mut won, mut lost) = (0, 0);
    for round in 0..ROUNDS * 4 {
        let first = claim();
        ledgers[0].claim(first.clone()).await.unwrap();
        let taken = again(&first);
        let [here, there] = ledgers.clone();
        let (holder, next) = (first.clone(), taken.clone());
        let finish =
            async move { Answer::Finished(here.finish(&holder, outcome("holder")).await.unwrap()) };
        let take = async move { Answer::Claimed(there.claim(next).await.unwrap()) };
        let mut calls: Vec<futures::future::BoxFuture<'static, Answer>> =
            vec![Box::pin(finish), Box::pin(take)];
        if round % 2 == 0 {
            calls.reverse();
        }
        let answers = together(calls).await;
        let mut finished = None;
        let mut claimed = None;
        for answer in answers {
            match answer {
                Answer::Finished(answer) => finished = Some(answer),
                Answer::Claimed(answer) => claimed = Some(answer),
            }
        }
        match (finished.unwrap(), claimed.unwrap()) {
            (Finished::Recorded, Claimed::Recorded(before)) => {
                assert_eq!(*before, outcome("holder"));
                won += 1;
            }
            (Finished::TakenOver, Claimed::Execute) => {
                let record = ledgers[1].finish(&taken, outcome("next")).await.unwrap();
                assert_eq!(record, Finished::Recorded);
                lost += 1;
            }
            other => panic!("both or neither: {other:?}"),
        }
    }
    assert_eq!(won + lost, ROUNDS * 4);
}

pub async fn one_that_stops_waiting_holds_nobody_up(place: &Place) {
    let ledger = place.open().await.ledger;
    let first = claim();
    {
        // polled once, so that the call is under way, and dropped
        let call = ledger.claim(first.clone());
        tokio::pin!(call);
        let _ = futures::poll!(&mut call);
    }
    let others: Vec<_> = (0..MANY)
        .map(|_| {
            let ledger = ledger.clone();
            async move { ledger.claim(claim()).await }
        })
        .collect();
    let answers: Vec<Result<Claimed, StoreError>> = together(others).await;
    assert!(answers.iter().all(|it| *it == Ok(Claimed::Execute)), "{answers:?}");
    // whether the dropped call was done or not, the same one can be made again
    assert_eq!(ledger.claim(first).await.unwrap(), Claimed::Execute);
}
