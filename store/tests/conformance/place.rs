//! Where a store's data is, for as long as a test takes.

use actionfleet_local::Postgres;
use actionfleet_proto::{Status, Timestamp, new_job_id};
use actionfleet_store::{Claim, Outcome, Parked, Store, StoreConfig, Why, open};
use bytes::Bytes;
use tempfile::TempDir;

pub struct Place {
    url: String,
    _folder: Option<TempDir>,
}

impl Place {
    pub fn embedded() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("store.db").display());
        Self { url, _folder: Some(folder) }
    }

    pub async fn postgres() -> Self {
        let url = Postgres::shared().await.unwrap().database().await.unwrap();
        Self { url, _folder: None }
    }

    pub fn config(&self) -> StoreConfig {
        StoreConfig::new(&self.url)
    }

    /// As another process would.
    pub async fn open(&self) -> Store {
        open(self.config()).await.unwrap()
    }
}

/// The first delivery of a new job.
pub fn claim() -> Claim {
    Claim {
        job_id: new_job_id(),
        attempt: 1,
        redelivered: false,
        sent_at: None,
        released: None,
        longest: std::time::Duration::MAX,
        fence: fence(),
        tenant: "default".into(),
        action: "echo".into(),
        lane: "default".into(),
        enqueued_at: Timestamp::from_unix_seconds(1_800_000_000).unwrap(),
    }
}

/// The same message, delivered again.
pub fn again(claim: &Claim) -> Claim {
    Claim { redelivered: true, fence: fence(), ..claim.clone() }
}

/// Another message of the same job.
pub fn copy(claim: &Claim, attempt: u32) -> Claim {
    Claim { attempt, redelivered: false, fence: fence(), ..claim.clone() }
}

fn fence() -> u64 {
    // over the whole range, for engines keep it in signed numbers
    let [high, low] = [new_job_id(), new_job_id()].map(|id| {
        let tail = id.rsplit('-').next().unwrap();
        u64::from_str_radix(tail, 16).unwrap()
    });
    high << 32 ^ low
}

pub fn outcome(result: &str) -> Outcome {
    Outcome {
        status: Status::Succeeded,
        code: None,
        result: Bytes::copy_from_slice(result.as_bytes()),
        attempts: Vec::new(),
        cost: None,
        dead_lettered: false,
        finished_at: Timestamp::from_unix_seconds(1_800_000_060).unwrap(),
    }
}

pub fn parked(attempt_next: u32, why: Why) -> Parked {
    Parked { attempt_next, why, code: None, next_at: None, attempts: Vec::new() }
}
