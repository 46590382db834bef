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

use crate::worker::Worker;

/// Takes one delivery all the way. The permit that came with it is held to the end.
///
/// The stages' futures are boxed: what a job needs after its call does not take memory during it,
/// with thousands of calls in flight.
pub(crate) async fn run(worker: &Worker, received: Received) {
    let concluded = AssertUnwindSafe(Box::pin(conclude(worker, &received))).catch_unwind().await;
    let conclusion = match concluded {
        Ok(Ok(conclusion)) => conclusion,
        Ok(Err(early)) => *early,
        Err(_) => panicked(&received),
    };
    let conclusion = conclusion.bounded(worker.config.limits.output_bytes());
    let receipt = Box::pin(publish::publish(worker, &received, &conclusion)).await;
    Box::pin(settle::settle(worker, received, &conclusion, receipt)).await;
}

/// A panic outside of `handle`, such as in a handler's `supports`: the delivery still gets its end.
fn panicked(received: &Received) -> Conclusion {
    let subject = Subject::from_properties(&received.delivery.properties, received.at);
    let error = ErrorBody::new(Code::HandlerPanicked, "a stage panicked; the worker's log has it");
    let outcome = Outcome::Failed(outcome::describe(&subject, error)).with_next();
    Conclusion::new(subject, outcome)
}

async fn conclude(worker: &Worker, received: &Received) -> Result<Conclusion, Box<Conclusion>> {
    let decoded = decode::decode(worker, received)?;
    let resolved = resolve::resolve(worker, decoded)?;
    let ready = context::context(worker, resolved)?;
    Ok(execute::execute(worker, received, ready).await)
}
