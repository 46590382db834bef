//! A server that takes no writes, as one that became a standby.

use actionfleet_local::Postgres;

use super::{Ground, echo};
use crate::harness::actionfleet;

impl Ground {
    async fn read_only(&self, on: bool) {
        let setting = if on { "set default_transaction_read_only = on" } else { "reset all" };
        let alter = format!("alter database {} {setting}", self.database());
        Postgres::shared().await.unwrap().sql("postgres", &alter).await.unwrap();
    }

    /// As a failover does.
    async fn disconnect(&self) {
        let end = "select pg_terminate_backend(pid) from pg_stat_activity where \
                   datname = current_database() and application_name = 'actionfleet'";
        self.sql(end).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_wait_until_the_server_takes_writes() {
    const JOBS: u32 = 600;
    let mut ground = Ground::shared().await;
    let worker = ground.worker(&[]).await;
    ground.desk.send(JOBS, &echo()).await;
    ground.desk.take_until(JOBS / 4).await;
    ground.read_only(true).await;
    ground.disconnect().await;
    worker.is_unready("ledger: the store is read-only: ").await;
    // the next one starts, and says the same
    let next = ground.worker(&[]).await;
    next.is_unready("ledger: the store is read-only: ").await;
    ground.read_only(false).await;
    ground.desk.take_until(JOBS).await;
    ground.all_is_done(JOBS).await;
    for worker in [worker, next] {
        worker.is_ready().await;
        assert_eq!(worker.stop().await, Some(0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn best_effort_goes_on_beside_a_server_that_takes_no_writes() {
    const JOBS: u32 = 400;
    let mut ground = Ground::shared().await;
    let worker = ground.worker(&["store.ledger=best_effort"]).await;
    worker.is_ready().await;
    ground.read_only(true).await;
    ground.disconnect().await;
    ground.desk.send(JOBS, &echo()).await;
    ground.desk.take_until(JOBS).await;
    worker.says("the store is read-only").await;
    worker.is_ready().await;
    ground.desk.each_has_one_distinct();
    ground.read_only(false).await;
    assert_eq!(worker.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_cannot_make_its_tables_says_so_and_ends() {
    let ground = Ground::shared().await;
    ground.read_only(true).await;
    let arguments = ["worker", "--set", "admin.listen=off", "--set"];
    let store = format!("store.url={}", ground.store);
    let queue = format!("broker.url={}", ground.queue);
    let output = actionfleet().args(arguments).args([&queue, "--set", &store]).output();
    let output = output.await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(69), "{said}");
    assert!(
        said.contains(" takes no writes: cannot execute CREATE SCHEMA in a read-only transaction"),
        "{said}"
    );
}
