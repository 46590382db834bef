//! A thousand jobs a second: from publish to reply.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context;
use futures::StreamExt;
use lapin::{
    options::{BasicAckOptions, BasicConsumeOptions},
    types::FieldTable,
};

use super::{
    stage::{Contender, JOBS, Stage},
    work::scaled,
};
use crate::{
    broker::REPLIES,
    report::{Goal, Report, say},
};

const EVERY: Duration = Duration::from_millis(5);
const AT_ONCE: u32 = 5;

const ROUNDS: u32 = 3;

/// The best of some rounds, by turns: what disturbs a round is not the contender's.
pub(crate) async fn latency(stage: &Stage, scale: f64, report: &mut Report) -> anyhow::Result<()> {
    say("latency: 1,000 jobs/s offered, backend 0 ms");
    let count = scaled(10_000, scale);
    let least = |a: (f64, f64), b: (f64, f64)| (a.0.min(b.0), a.1.min(b.1));
    let (mut bare, mut fleet) = ((f64::MAX, f64::MAX), (f64::MAX, f64::MAX));
    for _ in 0..ROUNDS {
        bare = least(bare, measure(stage, Contender::Bare, count).await?);
        fleet = least(fleet, measure(stage, Contender::Fleet, count).await?);
    }
    report.compare("p50, publish to reply", "ms", bare.0, fleet.0, Goal::AtMost(1.5));
    report.compare("p99, publish to reply", "ms", bare.1, fleet.1, Goal::AtMost(1.5));
    Ok(())
}

/// Median and 99th percentile in milliseconds, without the first fifth.
async fn measure(stage: &Stage, contender: Contender, count: u32) -> anyhow::Result<(f64, f64)> {
    let backend = stage.backend(Duration::ZERO).await?;
    let desk = Arc::new(stage.desk().await?);
    desk.fresh_queue(REPLIES).await?;
    desk.purge(JOBS).await?;
    let worker = stage.worker(contender, &backend, 256).await?;
    stage.consuming(&desk, &worker).await?;
    let sent: Arc<Mutex<HashMap<String, Instant>>> = Arc::default();
    let collecting = tokio::spawn(collect(stage.desk().await?, sent.clone(), count));
    let mut ticks = tokio::time::interval(EVERY);
    for number in 0..count {
        if number % AT_ONCE == 0 {
            ticks.tick().await;
        }
        let id = format!("job-{number:08}");
        sent.lock().unwrap_or_else(PoisonError::into_inner).insert(id, Instant::now());
        let desk = desk.clone();
        tokio::spawn(async move { desk.publish(JOBS, number).await });
    }
    let mut waits = tokio::time::timeout(Duration::from_secs(60), collecting).await???;
    worker.kill().await?;
    let mut waits = waits.split_off(waits.len() / 5);
    waits.sort();
    let at = |percent: usize| {
        let wait = waits.get(waits.len() * percent / 100).context("no replies")?;
        anyhow::Ok(wait.as_secs_f64() * 1e3)
    };
    Ok((at(50)?, at(99)?))
}

async fn collect(
    desk: crate::broker::Desk,
    sent: Arc<Mutex<HashMap<String, Instant>>>,
    count: u32,
) -> anyhow::Result<Vec<Duration>> {
    let options = BasicConsumeOptions::default();
    let none = FieldTable::default();
    let mut replies = desk.channel.basic_consume(REPLIES.into(), "".into(), options, none).await?;
    let mut waits = Vec::new();
    for _ in 0..count {
        let reply = replies.next().await.context("the reply queue closed")??;
        let id = reply.properties.message_id().as_ref().context("no message_id")?.to_string();
        let start = sent.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        waits.extend(start.map(|start| start.elapsed()));
        reply.ack(BasicAckOptions::default()).await?;
    }
    Ok(waits)
}
