//! The way of a job, from delivery to settlement:
//!
//! ```text
//! receive → decode → resolve → context → execute → classify → publish → settle
//! ```
//!
//! Each stage takes what the one before it made. `Err` means that the way ends early: the job
//! already has its outcome, and goes straight to be published.

mod classify;
mod context;
mod decode;
mod encode;
mod execute;
mod outcome;
mod publish;
mod receive;
mod resolve;
mod settle;
mod subject;

pub(crate) use outcome::{Conclusion, Outcome};
pub(crate) use receive::{Received, receive};
pub(crate) use subject::Subject;

use std::panic::AssertUnwindSafe;

use actionfleet_proto::{Code, ErrorBody};
use futures::FutureExt;

use self::context::Ready;
use crate::worker::Worker;

/// Takes one delivery all the way. The permit that came with it is held to the end.
///
/// Thousands of jobs are in their calls at once: what a job needs before and after its call is in
/// futures of its own, which take no memory during it.
pub(crate) async fn run(worker: &Worker, received: Box<Received>) {
    let concluded = AssertUnwindSafe(conclude(worker, &received)).catch_unwind().await;
    let conclusion = concluded.unwrap_or_else(|_| panicked(&received));
    Box::pin(finish(worker, received, conclusion)).await;
}

async fn conclude(worker: &Worker, received: &Received) -> Box<Conclusion> {
    match prepare(worker, received) {
        Ok(ready) => execute::execute(worker, received, ready).await,
        Err(early) => early,
    }
}

/// All that is decided before a handler is called.
fn prepare(worker: &Worker, received: &Received) -> Result<Box<Ready>, Box<Conclusion>> {
    let decoded = decode::decode(worker, received)?;
    let resolved = resolve::resolve(worker, decoded)?;
    context::context(worker, resolved).map(Box::new)
}

async fn finish(worker: &Worker, received: Box<Received>, mut conclusion: Box<Conclusion>) {
    conclusion.bound(worker.config.limits.output_bytes());
    let receipt = publish::publish(worker, &received, &conclusion).await;
    settle::settle(worker, received, &conclusion, receipt).await;
}

/// A panic outside of `handle`, such as in a handler's `supports`: the delivery still gets its end.
fn panicked(received: &Received) -> Box<Conclusion> {
    let subject = Subject::from_properties(&received.delivery.properties, received.at);
    let error = ErrorBody::new(Code::HandlerPanicked, "a stage panicked; the worker's log has it");
    let outcome = Outcome::Failed(outcome::describe(&subject, error)).with_next();
    Conclusion::early(subject, outcome)
}
