//! What the handler is given: options checked against their schemas, policy, limits.

use std::{sync::Arc, time::Duration};

use actionfleet_proto::{Code, ErrorBody, Input, RetryOptions, RetryPolicy, Span, Timestamp};

use super::{
    Conclusion, Outcome, Subject,
    decode::Decoded,
    outcome::describe,
    resolve::{HandlerRef, Resolved},
};
use crate::{
    definitions::Catalog,
    handler::{Action, ActionDefinition, HandlerError, Options},
    worker::Worker,
};

/// A job that can be executed.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) subject: Subject,
    pub(super) input: Arc<Input>,
    pub(super) action: Action,
    pub(super) handler: HandlerRef,
    pub(super) options: Arc<Options>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) policy: RetryPolicy,
    /// Of one attempt.
    pub(super) timeout: Duration,
    pub(super) deadline: Option<Timestamp>,
    pub(super) wait: Duration,
}

pub(super) fn context(worker: &Worker, resolved: Resolved) -> Result<Ready, Box<Conclusion>> {
    let Resolved { decoded, action, handler, catalog, deadline, wait } = resolved;
    let Decoded { subject, input, job, .. } = decoded;
    let bags = job.action_context.unwrap_or_default();
    let options = Options {
        runtime: job.runtime_context,
        action_type: bags.action_type_options,
        handler: bags.action_handler_options,
        system: bags.system_options,
    };
    let checked = catalog
        .check(&action, &input, &options)
        .and_then(|()| Ok((policy(&action, job.retry)?, timeout(worker, &action, job.timeout)?)));
    match checked {
        Ok((policy, timeout)) => {
            let options = Arc::new(options);
            Ok(Ready {
                subject,
                input,
                action,
                handler,
                options,
                catalog,
                policy,
                timeout,
                deadline,
                wait,
            })
        }
        Err(error) => Err(refuse(subject, error)),
    }
}

fn refuse(subject: Subject, error: HandlerError) -> Box<Conclusion> {
    let mut body = ErrorBody::new(error.code, error.message);
    body.field_errors = error.field_errors;
    let body = describe(&subject, body);
    Conclusion::early(subject, Outcome::Refused(body))
}

fn policy(action: &Action, wished: Option<RetryOptions>) -> Result<RetryPolicy, HandlerError> {
    let defined = match &action.definition {
        Some(ActionDefinition::Type(action_type)) => action_type.retry,
        Some(ActionDefinition::Http(http_action)) => http_action.retry,
        None => None,
    };
    let levels = [defined, wished];
    levels.iter().flatten().try_fold(RetryPolicy::DEFAULT, |policy, options| {
        policy.with(options).map_err(|problem| HandlerError::invalid_input("retry", problem))
    })
}

fn timeout(
    worker: &Worker,
    action: &Action,
    wished: Option<Span>,
) -> Result<Duration, HandlerError> {
    let limits = &worker.config.limits;
    let defined = match &action.definition {
        Some(ActionDefinition::Type(action_type)) => action_type.timeout,
        Some(ActionDefinition::Http(http_action)) => http_action.timeout,
        None => None,
    };
    let timeout = wished.or(defined).map_or(limits.timeout, |span| span.0);
    if timeout > limits.max_timeout {
        let problem = format!(
            "{} is longer than this fleet allows, {} (limits.max_timeout)",
            Span(timeout),
            Span(limits.max_timeout)
        );
        let mut error = HandlerError::invalid_input("timeout", problem);
        error.code = Code::InvalidInput;
        return Err(error);
    }
    Ok(timeout)
}
