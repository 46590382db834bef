//! Many jobs: as fast as the broker confirms, in memory that does not grow.

use std::cell::RefCell;

use actionfleet_producer::{Producer, SubmitError};
use futures::{Stream, StreamExt, future::ready};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    lines::{Line, Place, Reading, Source},
    progress::Progress,
    submit_failure,
};
use crate::{
    exit::{Exit, Failure},
    output::{self, Answer, Output},
};

/// Problems of single lines that are shown; the rest are counted.
const SHOWN: u64 = 100;

pub(super) struct Run<'a> {
    pub(super) lane: &'a str,
    pub(super) strict: bool,
    pub(super) output: Output,
}

/// What happened so far.
struct Report<'a> {
    run: &'a Run<'a>,
    source: String,
    queued: u64,
    refused: u64,
    end: u64,
    progress: Progress,
    /// No more lines are taken; those on their way are waited for.
    stop: CancellationToken,
    /// What ends the run, first come.
    failure: Option<Failure>,
}

impl Run<'_> {
    pub(super) async fn go(
        self,
        producer: &Producer,
        source: Source,
        reading: Reading,
    ) -> Result<Exit, Failure> {
        let stop = CancellationToken::new();
        let report = RefCell::new(Report {
            run: &self,
            source: source.name.clone(),
            queued: 0,
            refused: 0,
            end: 0,
            progress: Progress::start(source.size),
            stop: stop.clone(),
            failure: None,
        });
        let interrupted = self.pump(producer, source.read(reading)?, &report).await;
        report.into_inner().finish(interrupted)
    }

    /// Until all lines are settled; whether Ctrl-C ended it.
    async fn pump(
        &self,
        producer: &Producer,
        lines: impl Stream<Item = Line>,
        report: &RefCell<Report<'_>>,
    ) -> bool {
        let stop = report.borrow().stop.clone();
        let lines = lines.take_until(stop.cancelled()).filter_map(|(place, line)| {
            ready(match line {
                Ok(job) => Some((place, job)),
                Err(problem) => {
                    report.borrow_mut().refuse(place, &problem);
                    None
                }
            })
        });
        let mut outcomes = std::pin::pin!(producer.submit_many(self.lane, lines));
        let mut interrupted = false;
        loop {
            tokio::select! {
                outcome = outcomes.next() => match outcome {
                    Some((place, outcome)) => report.borrow_mut().settle(place, outcome),
                    None => return interrupted,
                },
                _ = tokio::signal::ctrl_c(), if !interrupted => {
                    interrupted = true;
                    stop.cancel();
                }
            }
        }
    }
}

impl Report<'_> {
    fn settle(&mut self, place: Place, outcome: Result<String, SubmitError>) {
        self.end = self.end.max(place.end);
        match outcome {
            Ok(id) => {
                self.queued += 1;
                self.tell(|| json!({"line": place.line, "id": id}));
            }
            // of this job alone
            Err(
                error @ (SubmitError::Invalid(_)
                | SubmitError::InvalidId { .. }
                | SubmitError::TooLarge { .. }),
            ) => self.refuse(place, &error.to_string()),
            // would be said of every job
            Err(error) => {
                self.refused += 1;
                self.fail(submit_failure(&error));
            }
        }
        self.progress.set(self.queued, self.end);
    }

    fn refuse(&mut self, place: Place, problem: &str) {
        self.refused += 1;
        let line = format!("{}:{}: {problem}", self.source, place.line);
        match self.run.output {
            Output::Json => self.tell(|| json!({"line": place.line, "error": problem})),
            Output::Human if self.refused <= SHOWN => self.progress.say(&line),
            Output::Human => {}
        }
        if self.run.strict {
            self.stop.cancel();
        }
    }

    fn tell(&mut self, value: impl FnOnce() -> serde_json::Value) {
        if self.run.output == Output::Json
            && let Err(failure) = output::json(&value())
        {
            self.fail(failure);
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
        self.stop.cancel();
    }

    fn finish(self, interrupted: bool) -> Result<Exit, Failure> {
        let elapsed = self.progress.finish();
        if self.refused > SHOWN && self.run.output == Output::Human {
            eprintln!("… and {} lines more", self.refused - SHOWN);
        }
        self.total(elapsed)?;
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        Ok(match (interrupted, self.refused) {
            (true, _) => Exit::Interrupted,
            (false, 0) => Exit::Done,
            (false, _) => Exit::Failed,
        })
    }

    fn total(&self, elapsed: std::time::Duration) -> Answer {
        let Self { queued, refused, run, .. } = self;
        let rate = u128::from(*queued) * 1_000 / elapsed.as_millis().max(1);
        let total = json!({
            "lane": run.lane, "queued": queued, "refused": refused,
            "seconds": elapsed.as_secs_f64(), "per_second": rate,
        });
        run.output.answer(&total, || {
            let refused = match refused {
                0 => String::new(),
                _ => format!(", {refused} not"),
            };
            let speed = match elapsed.as_secs() {
                0 => String::new(),
                seconds => format!(" in {seconds}s ({rate}/s)"),
            };
            format!("{queued} jobs queued on lane `{}`{speed}{refused}", run.lane)
        })
    }
}
