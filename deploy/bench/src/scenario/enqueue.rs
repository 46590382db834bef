//! A million lines of a file onto the queue.

use std::{io::Write, time::Duration};

use super::{
    stage::{Contender, JOBS, Stage},
    work::scaled,
};
use crate::{
    broker::body,
    child::Measured,
    report::{Goal, Report, say},
};

pub(crate) async fn enqueue(stage: &Stage, scale: f64, report: &mut Report) -> anyhow::Result<()> {
    let count = scaled(1_000_000, scale);
    say(&format!("enqueue: {count} lines"));
    let path = stage.folder.path().join("jobs.jsonl");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path)?);
    for number in 0..count {
        file.write_all(&body(number))?;
        file.write_all(b"\n")?;
    }
    file.flush()?;
    let (url, path) = (stage.rabbit.url(), path.display().to_string());
    let bare = ["publish", "--url", &url, "--queue", JOBS, "--file", &path];
    let set = format!("broker.url={url}");
    let fleet = ["enqueue", "bench", "--jsonl", &path, "--set", &set];
    let (bare, _) = measure(stage, Contender::Bare, &bare, count).await?;
    let (fleet, peak) = measure(stage, Contender::Fleet, &fleet, count).await?;
    report.compare("enqueued lines/s", "/s", bare, fleet, Goal::AtLeast(0.7));
    report.alone("peak memory of enqueue", "MB", peak, Goal::AtMost(64.0));
    Ok(())
}

/// Lines a second, and the peak memory in megabytes.
async fn measure(
    stage: &Stage,
    contender: Contender,
    arguments: &[&str],
    count: u32,
) -> anyhow::Result<(f64, f64)> {
    let desk = stage.desk().await?;
    desk.purge(JOBS).await?;
    let mut child = Measured::start(stage.program(contender), arguments)?;
    let mut peak = 0;
    let took = loop {
        // the kernel forgets a process's peak with the process
        peak = child.memory().map_or(peak, |(_, now)| peak.max(now));
        if let Ok(took) = tokio::time::timeout(Duration::from_millis(100), child.wait()).await {
            break took?;
        }
    };
    desk.reaches(JOBS, count, Duration::from_secs(60)).await?;
    desk.purge(JOBS).await?;
    let megabytes = f64::from(u32::try_from(peak / 1024)?) / 1024.0;
    Ok((f64::from(count) / took.as_secs_f64(), megabytes))
}
