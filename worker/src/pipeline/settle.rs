//! The ack: once, last. A lost link is counted, never a failed job.

use super::{Conclusion, Received, outcome::Route, publish::Receipt};
use crate::worker::Worker;

pub(super) async fn settle(
    worker: &Worker,
    received: Box<Received>,
    conclusion: &Conclusion,
    receipt: Receipt,
) {
    let Received { delivery, lane, .. } = *received;
    let settled = match receipt {
        Receipt::Confirmed => delivery.ack().await.is_ok(),
        Receipt::Lost => false,
    };
    worker.metrics.settled(settled);
    let route = conclusion.outcome.route();
    worker.metrics.concluded(&lane, conclusion, route.name);
    log(&lane, conclusion, route, settled);
}

/// One line per outcome, without payloads.
fn log(lane: &str, conclusion: &Conclusion, route: Route, settled: bool) {
    let subject = &conclusion.subject;
    let error = conclusion.outcome.error();
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                job_id = subject.state.id.as_str(),
                tenant = subject.tenant.as_str(),
                action = subject.action.as_deref().unwrap_or_default(),
                handler = subject.handler.as_deref().unwrap_or_default(),
                lane,
                attempt = subject.state.attempt,
                outcome = route.name,
                code = error.map(|error| error.code.as_str()),
                error = error.map(|error| error.message.as_str()),
                running_ms = subject.state.running_ms(),
                traceparent = subject.trace.traceparent.as_deref(),
                settled,
                "job"
            )
        };
    }
    if error.is_some() || !settled {
        line!(warn);
    } else {
        line!(info);
    }
}
