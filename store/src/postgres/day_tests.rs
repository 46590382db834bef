//! What midnight does, without waiting for it.

use std::{sync::Arc, time::Duration};

use actionfleet_local::Postgres as Server;
use actionfleet_proto::{Timestamp, new_job_id};
use tokio_postgres::Client;

use super::{LOCKS, Postgres, connect::Target, day::Day, lane};
use crate::{
    config::StoreConfig,
    ledger::{Queue, millis_now},
    port::{Claim, Claimed, Ledger as _},
};

fn claim() -> Claim {
    Claim {
        job_id: new_job_id(),
        attempt: 1,
        redelivered: false,
        sent_at: None,
        released: None,
        longest: std::time::Duration::MAX,
        fence: 7,
        tenant: "default".into(),
        action: "echo".into(),
        lane: "default".into(),
        enqueued_at: Timestamp::now(),
    }
}

/// An engine and a connection beside it.
async fn engine() -> (String, Arc<Postgres>, Client) {
    let url = Server::shared().await.unwrap().database().await.unwrap();
    let config = StoreConfig::new("");
    let engine = Postgres::open(&url, &config).await.unwrap();
    let client = Target::new(&url, &config).unwrap().client().await.unwrap();
    client.batch_execute("set search_path to actionfleet").await.unwrap();
    (url, engine, client)
}

/// As if it had been claimed the day before.
async fn move_to_yesterday(client: &Client, claim: &Claim) {
    let make = "select make_jobs_day((now() at time zone 'UTC')::date - 1)";
    client.execute(make, &[]).await.unwrap();
    let back = "update jobs set day = day - 1, created_at = created_at - interval '1 day' \
                where job_id = $1";
    assert_eq!(client.execute(back, &[&claim.job_id]).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_yesterday_is_found_and_changed_there() {
    let (_, engine, client) = engine().await;
    let first = claim();
    engine.claim(first.clone()).await.unwrap();
    move_to_yesterday(&client, &first).await;
    let duplicate = Claim { fence: 8, ..first.clone() };
    assert_eq!(engine.claim(duplicate.clone()).await.unwrap(), Claimed::Busy);
    let again = Claim { redelivered: true, ..duplicate };
    assert_eq!(engine.claim(again).await.unwrap(), Claimed::Execute);
    let rows = "select count(*), min(fence), bool_and(day = created_at::date) from jobs";
    let rows = client.query_one(rows, &[]).await.unwrap();
    assert_eq!((rows.get::<_, i64>(0), rows.get::<_, i64>(1)), (1, 8));
    assert!(rows.get::<_, bool>(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn days_go_one_by_one() {
    let (_, engine, client) = engine().await;
    let (old, new) = (claim(), claim());
    for job in [&old, &new] {
        engine.claim(job.clone()).await.unwrap();
    }
    move_to_yesterday(&client, &old).await;
    assert_eq!(engine.expire(Timestamp::now()).await.unwrap(), 1);
    assert_eq!(engine.get(&old.job_id).await.unwrap(), None);
    assert!(engine.get(&new.job_id).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_slept_over_midnight_wakes_on_the_new_day() {
    let (_, engine, client) = engine().await;
    let yesterday = Day::of(millis_now()).0 - 1;
    let (queue, calls) = Queue::new(1);
    lane::start_on(&engine.pool, calls, lane::Durability::Full, Some(Day(yesterday)));
    let first = claim();
    assert_eq!(queue.claim(first.clone()).await.unwrap(), Claimed::Execute);
    let day = "select day - date '1970-01-01' from jobs where job_id = $1";
    let day: i32 = client.query_one(day, &[&first.job_id]).await.unwrap().get(0);
    assert_eq!(day, yesterday + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_adds_to_a_day_while_the_one_before_is_not_over() {
    let (url, _engine, client) = engine().await;
    let yesterday = Day::of(millis_now()).0 - 1;
    let lock = "select pg_advisory_lock_shared($1, $2)";
    client.execute(lock, &[&LOCKS, &yesterday]).await.unwrap();
    let fresh = Postgres::open(&url, &StoreConfig::new("")).await.unwrap();
    let claiming = tokio::spawn(async move { fresh.claim(claim()).await });
    let waiting =
        "select exists (select from pg_locks where locktype = 'advisory' and not granted)";
    let waits = async { while !client.query_one(waiting, &[]).await.unwrap().get::<_, bool>(0) {} };
    tokio::time::timeout(Duration::from_secs(10), waits).await.expect("it waits");
    assert!(!claiming.is_finished());
    client
        .execute("select pg_advisory_unlock_shared($1, $2)", &[&LOCKS, &yesterday])
        .await
        .unwrap();
    assert_eq!(claiming.await.unwrap().unwrap(), Claimed::Execute);
}
