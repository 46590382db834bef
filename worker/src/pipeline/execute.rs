//! Attempts, one after the other, while the waits between them are short.

use std::{sync::Arc, time::Duration};

use actionfleet_proto::{Attempt, AttemptOutcome, Code, NotifyOn, Span, Timestamp};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{
    Conclusion, Outcome, Received, Subject,
    classify::{AttemptResult, Cut, classify},
    context::Ready,
    encode,
};
use crate::{
    handler::{Completion, Context, HandlerError, Progress},
    progress::Reporter,
    running::Entered,
    worker::Worker,
};

/// The longest wait that is spent here, holding the permit; longer ones are the broker's.
pub(super) const IN_PLACE: Duration = Duration::from_secs(2);

/// What a handler gets to finish once the worker's grace period is over; the rest of the last five
/// seconds is for putting the job back.
const LAST_MOMENTS: Duration = Duration::from_secs(3);

pub(super) async fn execute(
    worker: &Worker,
    received: &Received,
    mut job: Box<Ready>,
) -> Box<Conclusion> {
    let running = worker.running.enter(&job.subject.state.id);
    let outcome = attempts(worker, received, &running, &mut job).await;
    // until it is settled, the job is one that a stop may leave behind
    Box::new(Conclusion { subject: job.subject, outcome, claim: None, running: Some(running) })
}

async fn attempts(
    worker: &Worker,
    received: &Received,
    running: &Entered,
    job: &mut Ready,
) -> Outcome {
    let cancelled = running.token();
    // one delivery must not outlive the broker's consumer_timeout, however many attempts it takes
    let (began, longest) = (Instant::now(), worker.config.limits.max_timeout);
    let reporter = reporter(worker, &job.subject);
    if let Err(cut) = wait(worker, received, cancelled, job.wait).await {
        return classify(&job.subject, Err(cut), &job.policy, None, 0.0);
    }
    loop {
        if job.subject.wants(NotifyOn::Started) {
            worker.notifier.send(encode::started(&job.subject));
        }
        let (started_at, clock) = (Timestamp::now(), Instant::now());
        job.subject.state.first_started_at.get_or_insert(started_at);
        let progress = reporter.begin(job.subject.state.attempt);
        let result = attempt(worker, received, cancelled, job, progress).await;
        reporter.end();
        let outcome = conclude(worker, job, result, started_at, clock.elapsed());
        let delay = match &outcome {
            Outcome::RetryLater { delay, error }
                if *delay <= IN_PLACE && began.elapsed() + *delay + job.timeout <= longest =>
            {
                if job.subject.wants(NotifyOn::Retrying) {
                    worker.notifier.send(encode::retrying(&job.subject, error, *delay));
                }
                *delay
            }
            _ => return outcome,
        };
        drop(outcome);
        if let Err(cut) = wait(worker, received, cancelled, delay).await {
            return classify(&job.subject, Err(cut), &job.policy, None, 0.0);
        }
        job.subject.state.attempt += 1;
    }
}

/// What the attempt's result leads to, noted in the job's history.
fn conclude(
    worker: &Worker,
    job: &mut Ready,
    result: AttemptResult,
    started_at: Timestamp,
    took: Duration,
) -> Outcome {
    let time_left = job.deadline.map(|deadline| deadline.since(Timestamp::now()));
    let outcome = classify(&job.subject, result, &job.policy, time_left, fastrand::f64());
    record(worker, job, &outcome, started_at, took);
    outcome
}

/// Reports carry no input, which can be large, and which those who listen know.
fn reporter(worker: &Worker, subject: &Subject) -> Reporter {
    if !subject.wants(NotifyOn::Progress) {
        return Reporter::default();
    }
    let (notifier, subject) = (worker.notifier.clone(), Subject { input: None, ..subject.clone() });
    Reporter::new(move |report| notifier.send(encode::progress(&subject, report)))
}

/// One attempt in a task of its own: a panic ends there, and so does a handler that never yields.
async fn attempt(
    worker: &Worker,
    received: &Received,
    cancelled: &CancellationToken,
    job: &Ready,
    progress: Progress,
) -> AttemptResult {
    let (mut task, cancel, deadline) = start(worker, job, progress);
    let result = tokio::select! {
        biased;
        joined = timeout_at(deadline, &mut task.0) => match joined {
            Ok(Ok(result)) => return Ok(result),
            Ok(Err(panic)) => return Ok(Err(panicked(panic))),
            Err(_) => Ok(Err(timed_out(job.timeout))),
        },
        () = cancelled.cancelled() => Err(Cut::Cancelled),
        () = received.delivery.lost().cancelled() => Err(Cut::Lost),
        () = worker.interrupt.cancelled() => Err(Cut::Stopping),
    };
    cancel.cancel();
    if result == Err(Cut::Stopping)
        && let Ok(Ok(Ok(completion))) = timeout(LAST_MOMENTS, &mut task.0).await
    {
        return Ok(Ok(completion));
    }
    result
}

/// The handler at work, how to cancel its context, and when its time is over.
fn start(
    worker: &Worker,
    job: &Ready,
    progress: Progress,
) -> (Attempting, CancellationToken, Instant) {
    let deadline = Instant::now() + job.timeout;
    let context = Context {
        job_id: job.subject.state.id.clone(),
        tenant: job.subject.tenant.clone(),
        action: job.action.clone(),
        attempt: job.subject.state.attempt,
        input: job.input.clone(),
        options: job.options.clone(),
        deadline,
        output_bytes: worker.config.limits.output_bytes(),
        cancel: CancellationToken::new(),
        catalog: job.catalog.clone(),
        trace: job.subject.trace.clone(),
        progress,
    };
    let cancel = context.cancel.clone();
    let handler = Arc::clone(&job.handler.0);
    let task = AbortOnDrop(tokio::spawn(async move { handler.handle(&context).await }));
    (task, cancel, deadline)
}

async fn wait(
    worker: &Worker,
    received: &Received,
    cancelled: &CancellationToken,
    delay: Duration,
) -> Result<(), Cut> {
    if delay.is_zero() {
        return Ok(());
    }
    tokio::select! {
        () = sleep(delay) => Ok(()),
        () = cancelled.cancelled() => Err(Cut::Cancelled),
        () = received.delivery.lost().cancelled() => Err(Cut::Lost),
        () = worker.interrupt.cancelled() => Err(Cut::Stopping),
    }
}

type Attempting = AbortOnDrop<Result<Completion, HandlerError>>;

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn timed_out(limit: Duration) -> HandlerError {
    let message = format!("the attempt took longer than its time limit of {}", Span(limit));
    HandlerError::of(Code::BackendTimeout, message)
}

/// The panic's text stays in the log: it may hold anything.
fn panicked(error: tokio::task::JoinError) -> HandlerError {
    if let Ok(payload) = error.try_into_panic() {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        tracing::error!(panic = %text, "a handler panicked");
    }
    HandlerError::of(Code::HandlerPanicked, "the handler panicked; the worker's log has the text")
}

/// Adds the attempt to the job's history, unless it was cut off or not counted.
fn record(
    worker: &Worker,
    job: &mut Ready,
    outcome: &Outcome,
    started_at: Timestamp,
    took: Duration,
) {
    let recorded = match outcome {
        Outcome::Succeeded(_) => AttemptOutcome::Succeeded,
        Outcome::RetryLater { .. } => AttemptOutcome::Retry,
        Outcome::Failed(_) | Outcome::Exhausted(_) => AttemptOutcome::Failed,
        _ => return,
    };
    let code = outcome.error().map(|error| error.code);
    worker.metrics.attempt(code, matches!(recorded, AttemptOutcome::Retry));
    job.subject.state.attempts.push(Attempt {
        number: job.subject.state.attempt,
        started_at,
        duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        outcome: recorded,
        code,
    });
}
