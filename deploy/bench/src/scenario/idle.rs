//! A worker with nothing to do.

use std::time::Duration;

use super::stage::{Contender, JOBS, Stage};
use crate::report::{Goal, Report, say};

pub(crate) async fn idle(stage: &Stage, report: &mut Report) -> anyhow::Result<()> {
    say("idle: no jobs");
    let backend = stage.backend(Duration::ZERO).await?;
    let desk = stage.desk().await?;
    desk.purge(JOBS).await?;
    let worker = stage.worker(Contender::Fleet, &backend, 256).await?;
    stage.consuming(&desk, &worker).await?;
    let start = worker.started.elapsed().as_secs_f64() * 1e3;
    report.alone("from exec to consuming", "ms", start, Goal::AtMost(300.0));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = worker.processor_time()?;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let spent = worker.processor_time()?.saturating_sub(before);
    let (now, _) = worker.memory()?;
    let megabytes = f64::from(u32::try_from(now / 1024)?) / 1024.0;
    report.alone("memory, idle", "MB", megabytes, Goal::AtMost(25.0));
    let share = spent.as_secs_f64() / 10.0 * 100.0;
    report.alone("processor time, idle", "% of a core", share, Goal::AtMost(0.1));
    worker.kill().await
}
