//! Which handler executes the job, and whether it may be executed at all, now.

use std::{sync::Arc, time::Duration};

use actionfleet_proto::{Code, ErrorBody, Reply, Timestamp};

use super::{Conclusion, Outcome, Subject, decode::Decoded, outcome::describe, version};
use crate::{
    definitions::Catalog,
    handler::{Action, ActionDefinition, Handler},
    worker::Worker,
};

#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) decoded: Decoded,
    pub(super) action: Action,
    pub(super) handler: HandlerRef,
    pub(super) catalog: Arc<Catalog>,
    /// After it nothing is started.
    pub(super) deadline: Option<Timestamp>,
    /// A short wait that is left before the job may start.
    pub(super) wait: Duration,
}

pub(super) struct HandlerRef(pub(super) Arc<dyn Handler>);

impl std::fmt::Debug for HandlerRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.id())
    }
}

pub(super) fn resolve(worker: &Worker, decoded: Decoded) -> Result<Resolved, Box<Conclusion>> {
    let found = begin(worker, &decoded).and_then(|start| {
        let catalog = worker.definitions.catalog(&decoded.subject.tenant);
        decide(worker, catalog, &decoded, start)
    });
    Resolved::of(decoded, found)
}

/// By a version of the action's definition that need not be the current one.
pub(super) async fn resolve_at(
    worker: &Worker,
    decoded: Decoded,
    version: u32,
) -> Result<Resolved, Box<Conclusion>> {
    let found = async {
        // a job that is not started needs no version
        let start = begin(worker, &decoded)?;
        let catalog = version::catalog(worker, &decoded, version).await?;
        decide(worker, catalog, &decoded, start)
    };
    let found = found.await;
    Resolved::of(decoded, found)
}

impl Resolved {
    fn of(mut decoded: Decoded, found: Result<Found, Outcome>) -> Result<Self, Box<Conclusion>> {
        match found {
            Ok(Found { action, handler, catalog, start: Start { deadline, wait } }) => {
                decoded.subject.handler = Some(handler.0.id().to_owned());
                Ok(Self { decoded, action, handler, catalog, deadline, wait })
            }
            Err(outcome) => Err(Conclusion::early(decoded.subject, outcome)),
        }
    }
}

struct Found {
    action: Action,
    handler: HandlerRef,
    catalog: Arc<Catalog>,
    start: Start,
}

struct Start {
    deadline: Option<Timestamp>,
    wait: Duration,
}

/// Whether the job may be started at all, now.
fn begin(worker: &Worker, decoded: &Decoded) -> Result<Start, Outcome> {
    let Decoded { subject, job, deliveries, .. } = decoded;
    if *deliveries >= worker.config.limits.deliveries {
        return Err(given_up(subject, *deliveries));
    }
    if worker.running.is_cancelled(&subject.state.id) {
        return Err(Outcome::cancelled(subject));
    }
    let start = when(decoded)?;
    if let Some(configuration) = &job.configuration {
        let message =
            format!("no configuration is called {configuration:?}; this version stores none");
        return Err(Outcome::refused(subject, Code::UnknownConfiguration, message));
    }
    if let Some(Reply::Webhook { .. }) = &job.reply {
        let message = "reply.webhook: this version stores no endpoints; reply to a queue";
        return Err(Outcome::refused(subject, Code::InvalidJob, message));
    }
    Ok(start)
}

fn decide(
    worker: &Worker,
    catalog: Arc<Catalog>,
    decoded: &Decoded,
    start: Start,
) -> Result<Found, Outcome> {
    let Decoded { subject, job, input, .. } = decoded;
    let identifier = job.action.clone().unwrap_or_default();
    if catalog.is_action_disabled(&identifier) {
        let message = format!("the action {identifier:?} is disabled");
        return Err(Outcome::refused(subject, Code::ConfigurationDisabled, message));
    }
    let definition = catalog.action(&identifier);
    check_tenant(subject, &identifier, definition.as_ref())?;
    let action = Action { identifier, definition, input: input.kind() };
    let handler = handler(worker, &catalog, subject, job.handler.as_deref(), &action)?;
    Ok(Found { action, handler, catalog, start })
}

/// The poison guard.
fn given_up(subject: &Subject, deliveries: u64) -> Outcome {
    let problem = format!(
        "delivered {deliveries} times before without an outcome: its workers die or lose their link"
    );
    Outcome::Failed(describe(subject, ErrorBody::new(Code::WorkerLost, problem))).with_next()
}

/// The deadline, and the wait that can be spent here; expired and early jobs go no further.
fn when(decoded: &Decoded) -> Result<Start, Outcome> {
    let Decoded { subject, job, .. } = decoded;
    let (now, enqueued_at) = (Timestamp::now(), subject.state.enqueued_at);
    let deadline = [
        job.deadline,
        job.expires_in.map(|span| enqueued_at.after(span.0)),
        subject.state.expires_at,
    ];
    let deadline = deadline.into_iter().flatten().min();
    if let Some(deadline) = deadline.filter(|deadline| *deadline <= now) {
        let message = format!("its deadline was {deadline}, before it could be started");
        return Err(Outcome::expired(subject, message));
    }
    let not_before = job.not_before.or_else(|| job.delay.map(|span| enqueued_at.after(span.0)));
    let wait = not_before.map_or(Duration::ZERO, |start| start.since(now));
    if deadline.is_some_and(|deadline| deadline.since(now) <= wait && !wait.is_zero()) {
        let message = "its deadline comes before the earliest start that it asks for";
        return Err(Outcome::expired(subject, message));
    }
    if wait > super::execute::IN_PLACE {
        return Err(Outcome::Scheduled { delay: wait });
    }
    Ok(Start { deadline, wait })
}

pub(super) fn check_tenant(
    subject: &Subject,
    action: &str,
    definition: Option<&ActionDefinition>,
) -> Result<(), Outcome> {
    let tenants = match definition {
        Some(ActionDefinition::Type(action_type)) => action_type.tenants.as_ref(),
        Some(ActionDefinition::Http(http_action)) => http_action.tenants.as_ref(),
        None => None,
    };
    match tenants {
        Some(tenants) if !tenants.contains(&subject.tenant) => {
            let tenant = &subject.tenant;
            let message = format!("tenant {tenant:?} may not use action {action:?}");
            Err(Outcome::refused(subject, Code::NotAllowed, message))
        }
        _ => Ok(()),
    }
}

/// The job's own choice, then the definition's, then the first that supports the action.
fn handler(
    worker: &Worker,
    catalog: &Catalog,
    subject: &Subject,
    chosen: Option<&str>,
    action: &Action,
) -> Result<HandlerRef, Outcome> {
    let handlers = &worker.handlers;
    let defined = match &action.definition {
        Some(ActionDefinition::Type(action_type)) => action_type.handler.as_deref(),
        _ => None,
    };
    if let Some(id) = chosen.or(defined) {
        return handlers.get(id).cloned().map(HandlerRef).ok_or_else(|| {
            let known: Vec<_> = handlers.ids().collect();
            let message = format!("no handler is called {id:?}; there are {}", known.join(", "));
            Outcome::refused(subject, Code::UnknownHandler, message)
        });
    }
    handlers.supporting(action).cloned().map(HandlerRef).ok_or_else(|| {
        let name = &action.identifier;
        if action.definition.is_some() {
            let message =
                format!("no handler executes action {name:?} with input.{}", action.input);
            return Outcome::refused(subject, Code::UnsupportedInput, message);
        }
        let nearest = catalog.nearest_action(name, &subject.tenant);
        let hint = nearest.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
        let message = format!("no action is called {name:?}{hint}");
        Outcome::refused(subject, Code::UnknownAction, message)
    })
}
