//! Jobs from a full queue: how many a second, at what price.

use std::time::Duration;

use super::stage::{Contender, JOBS, Stage};
use crate::{
    broker::REPLIES,
    child::{processor_time, processor_time_of_all},
    report::{Goal, Report, say},
};

const LIMIT: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, Default)]
struct Figures {
    jobs_per_second: f64,
    micros_per_job: f64,
    broker_micros_per_job: f64,
    database_micros_per_job: f64,
    peak_bytes: f64,
}

/// Backend 0 ms, 256 permits, 20,000 jobs.
pub(crate) async fn throughput(
    stage: &Stage,
    scale: f64,
    report: &mut Report,
) -> anyhow::Result<()> {
    say("throughput: backend 0 ms, 256 permits");
    let count = scaled(20_000, scale);
    let contenders = [Contender::Bare, Contender::Fleet, Contender::Replies];
    let [bare, fleet, replies] = best(stage, contenders, Duration::ZERO, 256, count, 5).await?;
    let goal = Goal::AtLeast(0.85);
    report.compare("jobs/s, backend 0 ms", "/s", bare.jobs_per_second, fleet.jobs_per_second, goal);
    let (what, goal) = ("worker's processor time a job", Goal::AtMost(1.5));
    report.compare(what, "µs", bare.micros_per_job, fleet.micros_per_job, goal);
    let what = "broker's processor time a job";
    report.inform(what, "µs", bare.broker_micros_per_job, fleet.broker_micros_per_job);
    let what = "jobs/s, worker.results=replies";
    report.inform(what, "/s", bare.jobs_per_second, replies.jobs_per_second);
    Ok(())
}

/// The same with a ledger: its price, compared with the fleet without one.
pub(crate) async fn ledger(stage: &Stage, scale: f64, report: &mut Report) -> anyhow::Result<()> {
    say("ledger: backend 0 ms, 256 permits; `bare` is the fleet without a ledger");
    let count = scaled(20_000, scale);
    let contenders = [Contender::Fleet, Contender::Postgres, Contender::Sqlite];
    let [without, postgres, sqlite] =
        best(stage, contenders, Duration::ZERO, 256, count, 3).await?;
    for (name, with) in [("PostgreSQL", postgres), ("a file", sqlite)] {
        let what = format!("jobs/s, ledger in {name}");
        let (a, b) = (without.jobs_per_second, with.jobs_per_second);
        report.compare(&what, "/s", a, b, Goal::AtLeast(0.7));
        let what = format!("processor time a job, ledger in {name}");
        let (a, b) = (without.micros_per_job, with.micros_per_job);
        report.compare(&what, "µs", a, b, Goal::AtMost(2.0));
    }
    let what = "PostgreSQL's processor time a job";
    report.tell(what, "µs", postgres.database_micros_per_job);
    Ok(())
}

/// Backend 1 s, 10,000 permits, 30,000 jobs.
pub(crate) async fn concurrency(
    stage: &Stage,
    scale: f64,
    report: &mut Report,
) -> anyhow::Result<()> {
    say("concurrency: backend 1 s, 10,000 permits");
    let (count, permits) = (scaled(30_000, scale), 10_000);
    let latency = Duration::from_secs(1);
    let contenders = [Contender::Bare, Contender::Fleet];
    let [bare, fleet] = best(stage, contenders, latency, permits, count, 1).await?;
    let goal = Goal::AtLeast(0.9);
    report.compare("jobs/s, backend 1 s", "/s", bare.jobs_per_second, fleet.jobs_per_second, goal);
    let in_flight = f64::from(permits).min(f64::from(count));
    let a_call = |figures: &Figures| figures.peak_bytes / in_flight / 1024.0;
    let (what, goal) =
        ("memory a call in flight, at most 40 KB", Goal::AtMost(40.0 / a_call(&bare)));
    report.compare(what, "KB", a_call(&bare), a_call(&fleet), goal);
    Ok(())
}

/// The best of some rounds, by turns: what disturbs a round is not the contender's.
async fn best<const N: usize>(
    stage: &Stage,
    contenders: [Contender; N],
    latency: Duration,
    permits: u16,
    count: u32,
    rounds: u32,
) -> anyhow::Result<[Figures; N]> {
    let mut all = [Figures::default(); N];
    for _ in 0..rounds {
        for (contender, best) in contenders.into_iter().zip(&mut all) {
            let figures = measure(stage, contender, latency, permits, count).await?;
            if figures.jobs_per_second > best.jobs_per_second {
                *best = figures;
            }
        }
    }
    Ok(all)
}

/// From the first tenth of the results to the last one, so that starting does not count.
async fn measure(
    stage: &Stage,
    contender: Contender,
    latency: Duration,
    permits: u16,
    count: u32,
) -> anyhow::Result<Figures> {
    let backend = stage.backend(latency).await?;
    let desk = stage.desk().await?;
    desk.fresh_queue(REPLIES).await?;
    desk.purge(JOBS).await?;
    desk.fill(JOBS, count).await?;
    let worker = stage.worker(contender, &backend, permits).await?;
    let (first, start) = desk.reaches(REPLIES, count / 10, LIMIT).await?;
    let (before, broker_before) = (worker.processor_time()?, processor_time(stage.broker)?);
    let database_before = processor_time_of_all(stage.database)?;
    let (last, end) = desk.reaches(REPLIES, count, LIMIT).await?;
    let spent = worker.processor_time()?.saturating_sub(before);
    let broker_spent = processor_time(stage.broker)?.saturating_sub(broker_before);
    let database_spent = processor_time_of_all(stage.database)?.saturating_sub(database_before);
    let (_, peak) = worker.memory()?;
    worker.kill().await?;
    let jobs = f64::from(last - first);
    Ok(Figures {
        jobs_per_second: jobs / (end - start).as_secs_f64(),
        micros_per_job: spent.as_secs_f64() * 1e6 / jobs,
        broker_micros_per_job: broker_spent.as_secs_f64() * 1e6 / jobs,
        database_micros_per_job: database_spent.as_secs_f64() * 1e6 / jobs,
        peak_bytes: f64::from(u32::try_from(peak / 1024)?) * 1024.0,
    })
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from a small positive number; `as` saturates"
)]
pub(super) fn scaled(count: u32, scale: f64) -> u32 {
    (f64::from(count) * scale).max(100.0) as u32
}
