//! A whole worker whose store does not work: jobs wait, or go on without it as the policy says;
//! none is lost, each gets one result, and whoever looks is told why.

mod folder;
mod link;
mod read_only;
mod server;
mod slow;
mod start;

use actionfleet_local::{Link, Postgres, Rabbit};
use actionfleet_store::{JobFilter, JobStatus, Store, StoreConfig};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{Desk, PATIENCE, Service};

/// A queue with a desk at it, and a database.
struct Ground {
    queue: String,
    desk: Desk,
    /// As in `store.url`.
    store: String,
}

impl Ground {
    async fn on(postgres: &Postgres) -> Self {
        let queue = Rabbit::shared().await.unwrap().vhost().await.unwrap();
        let store = postgres.database().await.unwrap();
        Self { desk: Desk::open(&queue).await, queue, store }
    }

    /// On the server that all tests share.
    async fn shared() -> Self {
        Self::on(Postgres::shared().await.unwrap()).await
    }

    async fn worker(&self, settings: &[&str]) -> Service {
        self.worker_through(&self.store, settings).await
    }

    /// One that reaches the database by another URL.
    async fn worker_through(&self, store: &str, settings: &[&str]) -> Service {
        let store = format!("store.url={store}");
        let usual = [store.as_str(), "lanes.default.permits=32", "worker.grace=2s"];
        Service::start(&self.queue, &[&usual, settings].concat()).await
    }

    /// The name of the database.
    fn database(&self) -> &str {
        self.store.rsplit('/').next().unwrap()
    }

    /// The database's own statement, as its operator would say it.
    async fn sql(&self, statement: &str) -> String {
        Postgres::shared().await.unwrap().sql(self.database(), statement).await.unwrap()
    }

    /// A way to the shared server that can be cut, and the database's URL over it.
    async fn linked(&self) -> (Link, String) {
        let port = Postgres::shared().await.unwrap().port();
        let link = Link::to(("127.0.0.1", port)).await.unwrap();
        let through = self.store.replace(&format!(":{port}/"), &format!(":{}/", link.port()));
        (link, through)
    }

    /// Every job has one result, and so says the ledger.
    async fn all_is_done(&self, jobs: u32) {
        assert_eq!(self.desk.ids(), jobs);
        assert_eq!(self.desk.duplicates(), 0, "no worker and no link of the queue's was lost");
        self.desk.each_has_one_distinct();
        let store = actionfleet_store::open(StoreConfig::new(&*self.store)).await.unwrap();
        assert_eq!(rows(&store, None).await, jobs);
        for status in [JobStatus::Running, JobStatus::Waiting] {
            assert_eq!(rows(&store, Some(status)).await, 0, "{status:?}");
        }
    }
}

/// How many jobs the ledger has in this state.
async fn rows(store: &Store, status: Option<JobStatus>) -> u32 {
    let limit = Some(JobFilter::LIMIT_MAX);
    let (mut count, mut filter) = (0, JobFilter { status, limit, ..JobFilter::default() });
    loop {
        let page = store.ledger.find(&filter).await.unwrap();
        count += u32::try_from(page.jobs.len()).unwrap();
        if page.next.is_none() {
            return count;
        }
        filter.after = page.next;
    }
}

/// Waits until no job is left in a state that no worker will end.
async fn nothing_is_left_running(store: &str) {
    let store = actionfleet_store::open(StoreConfig::new(store)).await.unwrap();
    let ended = async { while rows(&store, Some(JobStatus::Running)).await > 0 {} };
    timeout(PATIENCE, ended).await.expect("rows that end");
}

fn echo() -> Value {
    json!({"action": "echo", "input": {"text": "x"}})
}
