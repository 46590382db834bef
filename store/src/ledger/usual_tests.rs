use std::time::Duration;

use actionfleet_proto::{Status, Timestamp};
use bytes::Bytes;

use super::{Queue, Work, usual};
use crate::port::{Claim, Outcome, Parked, Why};

fn claim(job_id: &str) -> Claim {
    Claim {
        job_id: job_id.into(),
        attempt: 1,
        redelivered: false,
        sent_at: None,
        released: None,
        longest: Duration::MAX,
        fence: 7,
        tenant: "default".into(),
        action: "echo".into(),
        lane: "default".into(),
        enqueued_at: Timestamp::now(),
    }
}

fn outcome() -> Outcome {
    Outcome {
        status: Status::Succeeded,
        code: None,
        result: Bytes::new(),
        attempts: Vec::new(),
        cost: None,
        dead_lettered: false,
        finished_at: Timestamp::now(),
    }
}

fn parked() -> Parked {
    let attempts = Vec::new();
    Parked { attempt_next: 2, why: Why::Retrying, code: None, next_at: None, attempts }
}

/// What they are, in their order, of both kinds.
fn kinds(calls: Vec<Work>) -> [Vec<String>; 2] {
    let (usual, rest) = usual(calls);
    let name = |work: &Work| {
        let kind = match work {
            Work::Claim(_) => "claim",
            Work::Park(_) => "park",
            Work::Finish(_) => "finish",
            Work::Reopen(_) => "reopen",
        };
        format!("{kind} {}", work.job_ids().join(" "))
    };
    [usual, rest].map(|calls| calls.iter().map(name).collect())
}

#[tokio::test]
async fn what_is_presumed_and_what_is_looked_at() {
    let (queue, mut waiting) = Queue::<Work>::new(16);
    let asking = async {
        tokio::join!(
            queue.claim(claim("first")),
            queue.claim(Claim { attempt: 2, ..claim("next") }),
            queue.claim(Claim { redelivered: true, ..claim("lost") }),
            queue.claim(Claim { released: Some(7), ..claim("given up") }),
            queue.finish(claim("done"), outcome()),
            queue.park(claim("waits"), parked()),
            queue.claim(claim("twice")),
            queue.claim(claim("twice")),
            queue.finish(claim("both"), outcome()),
            queue.reopen(vec!["both".into(), "old".into()]),
        )
    };
    tokio::pin!(asking);
    assert!(futures::poll!(&mut asking).is_pending());
    let calls = std::iter::from_fn(|| waiting.try_recv().ok()).collect();
    let [presumed, looked_at] = kinds(calls);
    assert_eq!(presumed, ["claim first", "finish done", "park waits"]);
    let rest = [
        "claim next",
        "claim lost",
        "claim given up",
        "claim twice",
        "claim twice",
        "finish both",
        "reopen both old",
    ];
    assert_eq!(looked_at, rest);
}
