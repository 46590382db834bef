//! The way of a job, from delivery to settlement:
//!
//! ```text
//! receive → decode → claim → resolve → context → execute → classify → record → publish → settle
//! ```
//!
//! Each stage takes what the one before it made. `Err` means that the way ends early: the job
//! already has its outcome, and goes straight to be published.

mod claim;
mod classify;
mod context;
mod decode;
mod encode;
mod execute;
mod outcome;
mod publish;
mod receive;
mod record;
mod resolve;
mod settle;
mod subject;
mod version;

pub(crate) use outcome::{Conclusion, Outcome};
pub(crate) use receive::{Received, receive};
pub(crate) use subject::Subject;

use std::panic::AssertUnwindSafe;

use actionfleet_proto::{Code, ErrorBody};
use futures::FutureExt;

use self::{context::Ready, decode::Decoded, publish::Receipt};
use crate::{stage::Stage, worker::Worker};

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
    let mut decoded = match decode::decode(worker, received) {
        Ok(decoded) => decoded,
        Err(poison) => return poison,
    };
    worker.observer.reached(Stage::Received, &decoded.subject.state.id);
    let claim = match Box::pin(claim::claim(worker, received, &mut decoded)).await {
        Ok(claim) => claim,
        Err(early) => return Conclusion::early(decoded.subject, early),
    };
    worker.observer.reached(Stage::Claimed, &decoded.subject.state.id);
    let mut conclusion = match prepare(worker, decoded).await {
        Ok(ready) => execute::execute(worker, received, ready).await,
        Err(early) => early,
    };
    worker.observer.reached(Stage::Executed, &conclusion.subject.state.id);
    conclusion.subject.state.released = claim.as_ref().map(|claim| claim.fence);
    conclusion.claim = claim;
    conclusion
}

/// All that is decided before a handler is called.
async fn prepare(worker: &Worker, decoded: Decoded) -> Result<Box<Ready>, Box<Conclusion>> {
    let resolved = match decoded.job.action_version {
        None => resolve::resolve(worker, decoded)?,
        Some(version) => Box::pin(resolve::resolve_at(worker, decoded, version)).await?,
    };
    context::context(worker, resolved).map(Box::new)
}

async fn finish(worker: &Worker, received: Box<Received>, mut conclusion: Box<Conclusion>) {
    let reached = |stage, conclusion: &Conclusion| {
        worker.observer.reached(stage, &conclusion.subject.state.id);
    };
    conclusion.bound(worker.config.limits.output_bytes());
    let letter = record::record(worker, &received, &mut conclusion).await;
    reached(Stage::Recorded, &conclusion);
    let mut receipt = publish::publish(worker, &received, &conclusion, letter).await;
    reached(Stage::Published, &conclusion);
    if receipt == Receipt::Confirmed {
        receipt = record::park(worker, &received, &conclusion).await;
        reached(Stage::Parked, &conclusion);
    }
    settle::settle(worker, received, &conclusion, receipt).await;
    reached(Stage::Settled, &conclusion);
}

/// A panic outside of `handle`, such as in a handler's `supports`: the delivery still gets its end.
fn panicked(received: &Received) -> Box<Conclusion> {
    let subject = Subject::from_properties(&received.delivery.properties, received.at);
    let error = ErrorBody::new(Code::HandlerPanicked, "a stage panicked; the worker's log has it");
    let outcome = Outcome::Failed(outcome::describe(&subject, error)).with_next();
    Conclusion::early(subject, outcome)
}
