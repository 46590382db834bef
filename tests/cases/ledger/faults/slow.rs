//! A server that answers late, and locks that somebody holds.

use actionfleet_local::Postgres;
use tokio::{task::JoinHandle, time::timeout};

use super::{Ground, echo, nothing_is_left_running};
use crate::harness::PATIENCE;

/// Somebody who locks the table of jobs, until the lock is ended.
struct Lock(JoinHandle<()>);

impl Lock {
    async fn on(ground: &Ground) -> Self {
        let database = ground.database().to_owned();
        let lock = "begin; lock table actionfleet.jobs in share mode; select pg_sleep(600)";
        let holding = tokio::spawn(async move {
            let ended = Postgres::shared().await.unwrap().sql(&database, lock).await;
            assert!(ended.is_err(), "it is ended, not over");
        });
        let held = "select count(*) from pg_locks where mode = 'ShareLock' and granted and \
                    relation = 'actionfleet.jobs'::regclass";
        while ground.sql(held).await != "1" {}
        Self(holding)
    }

    async fn end(self, ground: &Ground) {
        let end = "select pg_terminate_backend(pid) from pg_stat_activity \
                   where query like '%pg_sleep(600)%' and pid <> pg_backend_pid() \
                   and datname = current_database()";
        ground.sql(end).await;
        self.0.await.unwrap();
    }
}

/// Until somebody waits for the lock.
async fn somebody_waits(ground: &Ground) {
    let waits = "select count(*) from pg_locks where not granted and \
                 relation = 'actionfleet.jobs'::regclass";
    let waiting = async { while ground.sql(waits).await == "0" {} };
    timeout(PATIENCE, waiting).await.expect("who waits for the lock");
}

/// Makes every write take so long.
async fn slow_down(ground: &Ground, seconds: f64) {
    let slow = format!(
        "create function actionfleet.slow() returns trigger language plpgsql as \
         $$ begin perform pg_sleep({seconds}); return null; end $$; \
         create trigger slow before insert or update on actionfleet.jobs \
         for each statement execute function actionfleet.slow()"
    );
    ground.sql(&slow).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_take_the_time_of_a_slow_server() {
    const JOBS: u32 = 200;
    let mut ground = Ground::shared().await;
    let worker = ground.worker(&["store.timeout=5s", "store.pool_size=1"]).await;
    worker.is_ready().await;
    slow_down(&ground, 0.2).await;
    ground.desk.send(JOBS, &echo()).await;
    ground.desk.take_until(JOBS).await;
    ground.all_is_done(JOBS).await;
    assert!(!worker.log().contains("the ledger does not answer"), "{}", worker.log());
    assert_eq!(worker.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_wait_for_whoever_holds_the_locks() {
    const JOBS: u32 = 100;
    let mut ground = Ground::shared().await;
    let worker = ground.worker(&["store.timeout=400ms", "store.pool_size=1"]).await;
    worker.is_ready().await;
    let lock = Lock::on(&ground).await;
    ground.desk.send(JOBS, &echo()).await;
    worker.is_unready("ledger: the store is not available: canceling statement due to ").await;
    assert_eq!(ground.desk.answers.len(), 0);
    lock.end(&ground).await;
    ground.desk.take_until(JOBS).await;
    worker.is_ready().await;
    ground.all_is_done(JOBS).await;
    assert_eq!(worker.stop().await, Some(0));
}

/// The server writes the claim of a worker that is gone: nobody must wait for that worker.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_of_a_worker_that_stopped_while_it_claimed_them_are_executed_by_the_next() {
    const JOBS: u32 = 80;
    let mut ground = Ground::shared().await;
    // over a way that carries to the server what the worker sent before it ended
    let (_link, through) = ground.linked().await;
    let settings = ["worker.grace=1s", "lanes.default.permits=8", "store.pool_size=1"];
    let stopped = ground.worker_through(&through, &settings).await;
    // until its connections know the statements, so that it sends them together with the commit
    ground.desk.send(JOBS / 2, &echo()).await;
    ground.desk.take_until(JOBS / 2).await;
    let lock = Lock::on(&ground).await;
    ground.desk.send_numbers(JOBS / 2..JOBS, &echo()).await;
    somebody_waits(&ground).await;
    assert_eq!(stopped.stop().await, Some(0));
    lock.end(&ground).await;
    let late = "select count(*) from actionfleet.jobs where status = 'running'";
    let written = async { while ground.sql(late).await == "0" {} };
    timeout(PATIENCE, written).await.expect("a claim of the worker that is gone");

    let next = ground.worker(&[]).await;
    ground.desk.take_until(JOBS).await;
    ground.all_is_done(JOBS).await;
    assert_eq!(next.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn best_effort_goes_on_beside_locks_and_records_what_it_told() {
    const JOBS: u32 = 100;
    let mut ground = Ground::shared().await;
    let worker = ground.worker(&["store.ledger=best_effort"]).await;
    worker.is_ready().await;
    let lock = Lock::on(&ground).await;
    ground.desk.send(JOBS, &echo()).await;
    ground.desk.take_until(JOBS).await;
    worker.is_ready().await;
    worker.says("it did not answer within 1s").await;
    lock.end(&ground).await;
    // the claims that the server wrote late have their outcomes, and hold nobody up
    nothing_is_left_running(&ground.store).await;
    ground.desk.answers.clear();
    ground.desk.send(JOBS, &echo()).await;
    ground.desk.take_until(JOBS).await;
    assert_eq!(worker.stop().await, Some(0));
}
