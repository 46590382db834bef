//! Workers that start where nothing is, or while nothing answers.

use actionfleet_local::Postgres;

use super::{Ground, echo};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_start_at_once_on_an_empty_database_all_work() {
    const WORKERS: usize = 4;
    const JOBS: u32 = 200;
    let mut ground = Ground::shared().await;
    // one at a time, so that none takes all
    let starts = (0..WORKERS).map(|_| ground.worker(&["lanes.default.permits=1"]));
    let workers = futures::future::join_all(starts).await;
    for worker in &workers {
        worker.says("\"working\"").await;
    }
    ground.desk.send(JOBS, &echo()).await;
    ground.desk.take_until(JOBS).await;
    ground.all_is_done(JOBS).await;
    for worker in workers {
        let served = worker.log().matches("\"outcome\":\"succeeded\"").count();
        assert!(served > 0, "{}", worker.log());
        worker.is_ready().await;
        assert_eq!(worker.stop().await, Some(0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_waits_for_a_server_that_is_away_and_works_once_it_is_there() {
    const JOBS: u32 = 20;
    let postgres = Postgres::start().await.unwrap();
    let mut ground = Ground::on(&postgres).await;
    postgres.stop().await.unwrap();
    let worker = ground.worker(&[]).await;
    let told_to_stop = ground.worker(&["store.ledger=best_effort"]).await;
    for worker in [&worker, &told_to_stop] {
        worker.is_unready("store: the store is not available: error connecting to server").await;
        worker.says("waiting for the store").await;
    }
    assert_eq!(told_to_stop.stop().await, Some(0));

    ground.desk.send(JOBS, &echo()).await;
    postgres.start_again().await.unwrap();
    ground.desk.take_until(JOBS).await;
    worker.is_ready().await;
    ground.all_is_done(JOBS).await;
    assert_eq!(worker.stop().await, Some(0));
}
