//! Jobs under way while something breaks.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actionfleet_proto::{Status, Timestamp, new_job_id};
use actionfleet_store::{Claim, Claimed, Finished, Ledger, Outcome, StoreError};
use bytes::Bytes;
use tokio::{sync::Notify, task::JoinSet};

pub fn claim() -> Claim {
    Claim {
        job_id: new_job_id(),
        attempt: 1,
        redelivered: false,
        sent_at: None,
        released: None,
        longest: std::time::Duration::MAX,
        fence: u64::from_str_radix(&new_job_id()[24..], 16).unwrap(),
        tenant: "default".into(),
        action: "echo".into(),
        lane: "default".into(),
        enqueued_at: Timestamp::now(),
    }
}

pub fn outcome(result: &str) -> Outcome {
    Outcome {
        status: Status::Succeeded,
        code: None,
        result: Bytes::copy_from_slice(result.as_bytes()),
        attempts: Vec::new(),
        cost: None,
        dead_lettered: false,
        finished_at: Timestamp::from_unix_seconds(1_800_000_000).unwrap(),
    }
}

/// Jobs that are claimed and finished over and over, each call repeated while it fails for now.
pub struct Load {
    ledger: Arc<dyn Ledger>,
    tasks: JoinSet<Vec<Claim>>,
    pub failures: Arc<AtomicUsize>,
    done: Arc<AtomicUsize>,
    progress: Arc<Notify>,
    stop: Arc<AtomicUsize>,
}

const AT_ONCE: usize = 16;

impl Load {
    pub fn on(ledger: &Arc<dyn Ledger>) -> Self {
        let mut load = Self {
            ledger: ledger.clone(),
            tasks: JoinSet::new(),
            failures: Arc::default(),
            done: Arc::default(),
            progress: Arc::default(),
            stop: Arc::default(),
        };
        for _ in 0..AT_ONCE {
            let (ledger, failures) = (ledger.clone(), load.failures.clone());
            let (done, progress, stop) =
                (load.done.clone(), load.progress.clone(), load.stop.clone());
            load.tasks.spawn(async move {
                let mut finished = Vec::new();
                while stop.load(Ordering::Relaxed) == 0 {
                    finished.push(job(&*ledger, &failures).await);
                    done.fetch_add(1, Ordering::Relaxed);
                    progress.notify_one();
                }
                finished
            });
        }
        load
    }

    /// Waits until so many more are done.
    pub async fn goes_on(&self, more: usize) {
        let goal = self.done.load(Ordering::Relaxed) + more;
        let progress = async {
            while self.done.load(Ordering::Relaxed) < goal {
                self.progress.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), progress).await.expect("it goes on");
    }

    /// Ends it, and checks that whatever was said to be recorded is.
    pub async fn check(mut self) -> usize {
        self.stop.store(1, Ordering::Relaxed);
        let mut checked = 0;
        while let Some(finished) = self.tasks.join_next().await {
            for claim in finished.unwrap() {
                let again = Claim { redelivered: true, fence: claim.fence ^ 1, ..claim };
                let recorded = Box::new(outcome(&again.job_id));
                let answer = self.ledger.claim(again).await.unwrap();
                assert_eq!(answer, Claimed::Recorded(recorded));
                checked += 1;
            }
        }
        checked
    }
}

async fn job(ledger: &dyn Ledger, failures: &AtomicUsize) -> Claim {
    let claim = claim();
    let outcome = outcome(&claim.job_id);
    loop {
        match ledger.claim(claim.clone()).await {
            Ok(answer) => break assert_eq!(answer, Claimed::Execute),
            Err(error) => wait(error, failures).await,
        }
    }
    loop {
        match ledger.finish(&claim, outcome.clone()).await {
            Ok(answer) => break assert_eq!(answer, Finished::Recorded),
            Err(error) => wait(error, failures).await,
        }
    }
    claim
}

async fn wait(error: StoreError, failures: &AtomicUsize) {
    assert!(error.is_temporary(), "{error}");
    failures.fetch_add(1, Ordering::Relaxed);
    // as a worker backs off
    tokio::time::sleep(Duration::from_millis(20)).await;
}
