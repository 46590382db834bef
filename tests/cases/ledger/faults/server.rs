//! A server that is stopped and killed while jobs come in.

use actionfleet_local::Postgres;

use super::{Ground, echo, nothing_is_left_running};

const AWAY: &str = "the ledger does not answer";
const BACK: &str = "the ledger answers again";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_wait_for_a_server_that_is_stopped_or_killed() {
    const JOBS: u32 = 2_000;
    let postgres = Postgres::start().await.unwrap();
    let mut ground = Ground::on(&postgres).await;
    let worker = ground.worker(&[]).await;
    ground.desk.send(JOBS, &echo()).await;
    let rounds = 4;
    for round in 1..=rounds {
        ground.desk.take_until(JOBS / 5 * round).await;
        if round % 2 == 0 {
            postgres.stop().await.unwrap();
        } else {
            postgres.kill().await.unwrap();
        }
        // what it says is what is wrong now, not what was wrong first
        worker.is_unready("ledger: the store is not available: error connecting to server").await;
        postgres.start_again().await.unwrap();
        worker.is_ready().await;
    }
    ground.desk.take_until(JOBS).await;
    let log = worker.log();
    for words in [AWAY, BACK] {
        assert!(log.matches(words).nth(3).is_some(), "{words:?} each time: {log}");
    }
    ground.all_is_done(JOBS).await;
    assert_eq!(worker.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_go_on_beside_a_server_that_was_killed_and_hold_nobody_up_later() {
    const JOBS: u32 = 1_000;
    let postgres = Postgres::start().await.unwrap();
    let mut ground = Ground::on(&postgres).await;
    let worker = ground.worker(&["store.ledger=best_effort"]).await;
    ground.desk.send(JOBS, &echo()).await;
    ground.desk.take_until(200).await;
    postgres.kill().await.unwrap();
    ground.desk.take_until(700).await;
    worker.is_ready().await;
    let metrics = worker.get("/metrics").await;
    assert!(metrics.contains("actionfleet_ledger_up 0\n"), "{metrics}");
    let log = worker.says(AWAY).await;
    assert!(log.contains("\"policy\":\"BestEffort\""), "{log}");

    postgres.start_again().await.unwrap();
    worker.says(BACK).await;
    ground.desk.take_until(JOBS).await;
    ground.desk.each_has_one_distinct();
    assert_eq!(ground.desk.duplicates(), 0);
    // jobs that were claimed before and ended meanwhile have their outcomes by and by
    nothing_is_left_running(&ground.store).await;
    ground.desk.answers.clear();
    ground.desk.send(JOBS, &echo()).await;
    ground.desk.take_until(JOBS).await;
    assert_eq!(worker.stop().await, Some(0));
}
