//! How far the enqueueing of many jobs is: a bar on a terminal, else a line every ten seconds.

use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

const REDRAW: Duration = Duration::from_millis(100);
const TELL: Duration = Duration::from_secs(10);

pub(super) struct Progress {
    bar: Option<ProgressBar>,
    size: Option<u64>,
    started: Instant,
    told: Instant,
}

impl Progress {
    /// `size` is that of the source in bytes, where it is known.
    pub(super) fn start(size: Option<u64>) -> Self {
        let bar = io::stderr().is_terminal().then(|| bar(size));
        let now = Instant::now();
        Self { bar, size, started: now, told: now }
    }

    /// `jobs` are done and the source is read up to `end`.
    pub(super) fn set(&mut self, jobs: u64, end: u64) {
        let every = if self.bar.is_some() { REDRAW } else { TELL };
        if self.told.elapsed() < every {
            return;
        }
        self.told = Instant::now();
        let text = format!("{jobs} jobs, {}/s", self.rate(jobs));
        match &self.bar {
            Some(bar) => {
                bar.set_position(end);
                bar.set_message(text);
            }
            None => eprintln!("{text}{}", self.left(end)),
        }
    }

    /// Writes above the bar.
    pub(super) fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    pub(super) fn finish(&self) -> Duration {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.started.elapsed()
    }

    fn rate(&self, jobs: u64) -> u128 {
        u128::from(jobs) * 1_000 / self.started.elapsed().as_millis().max(1)
    }

    fn left(&self, end: u64) -> String {
        let Some(size) = self.size.filter(|size| *size > 0 && end > 0) else {
            return String::new();
        };
        let elapsed = self.started.elapsed().as_millis();
        let left = elapsed * u128::from(size.saturating_sub(end)) / u128::from(end) / 1_000;
        format!(", {}%, {left}s left", u128::from(end) * 100 / u128::from(size))
    }
}

fn bar(size: Option<u64>) -> ProgressBar {
    let (bar, template) = match size {
        Some(size) => (ProgressBar::new(size), "{bar:30} {percent:>3}%  {msg}, {eta} left"),
        None => (ProgressBar::no_length(), "{spinner} {msg}"),
    };
    // a template that does not read leaves the default style
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
