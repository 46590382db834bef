//! How far the jobs are: a bar on a terminal, else a line every three seconds.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use tokio::time::{Instant, Interval, interval_at};

use crate::{say, submit::Finished};

const TELL: Duration = Duration::from_secs(3);
const REDRAW: Duration = Duration::from_millis(200);

pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    telling: Interval,
    total: usize,
    done: usize,
    retried: usize,
}

impl Progress {
    pub(crate) fn start(total: usize) -> Self {
        let bar = io::stderr().is_terminal().then(|| bar(total));
        let telling = interval_at(Instant::now() + TELL, TELL);
        Self { bar, telling, total, done: 0, retried: 0 }
    }

    pub(crate) fn add(&mut self, job: &Finished) {
        self.done += 1;
        self.retried += usize::from(job.attempts() > 1);
        if let Some(bar) = &self.bar {
            bar.inc(1);
            bar.set_message(format!("{} retried", self.retried));
        }
    }

    /// Waits until the next line is due, and says it where there is no bar.
    pub(crate) async fn tell(&mut self) {
        self.telling.tick().await;
        if self.bar.is_none() {
            say(&format!("  {} of {} jobs done, {} retried", self.done, self.total, self.retried));
        }
    }
}

fn bar(total: usize) -> ProgressBar {
    let bar = ProgressBar::new(u64::try_from(total).unwrap_or(u64::MAX))
        .with_finish(ProgressFinish::AndClear);
    // a template that does not read leaves the default style
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} jobs  {msg}  {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(REDRAW);
    bar
}
