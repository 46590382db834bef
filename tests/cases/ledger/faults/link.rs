//! The way between worker and server, cut and hung.

use super::{Ground, echo};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_that_is_cut_again_and_again_costs_time_alone() {
    const JOBS: u32 = 1_000;
    const CUTS: u32 = 20;
    let mut ground = Ground::shared().await;
    let (link, through) = ground.linked().await;
    let worker = ground.worker_through(&through, &[]).await;
    ground.desk.send(JOBS, &echo()).await;
    for cut in 1..CUTS {
        ground.desk.take_until(JOBS / CUTS * cut).await;
        link.cut();
    }
    link.refuse(true);
    link.cut();
    worker.is_unready("ledger: the store is not available: ").await;
    link.refuse(false);
    ground.desk.take_until(JOBS).await;
    worker.is_ready().await;
    ground.all_is_done(JOBS).await;
    assert_eq!(worker.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_that_hangs_is_given_up_and_found_again() {
    const JOBS: u32 = 600;
    let mut ground = Ground::shared().await;
    let (link, through) = ground.linked().await;
    let worker = ground.worker_through(&through, &["store.timeout=300ms"]).await;
    ground.desk.send(JOBS, &echo()).await;
    for round in 1..=2 {
        ground.desk.take_until(JOBS / 3 * round).await;
        link.pause();
        worker.is_unready("ledger: the store is not available: PostgreSQL did not ").await;
        link.resume();
        worker.is_ready().await;
    }
    ground.desk.take_until(JOBS).await;
    ground.all_is_done(JOBS).await;
    assert_eq!(worker.stop().await, Some(0));
}
