//! The version of its action's definition that a job asks for.

use std::{sync::Arc, time::Duration};

use actionfleet_proto::{Code, ErrorBody};
use tokio::time::timeout;

use super::{Outcome, Subject, decode::Decoded, outcome::describe, resolve::check_tenant};
use crate::{
    definitions::{Catalog, VersionError},
    handler::Action,
    worker::Worker,
};

/// How long a job holds its permit for a version that is not there yet.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long it then waits without one.
const LATER: Duration = Duration::from_secs(3);

/// What the job can name. Who may use an action, and whether anybody may, is said by its current
/// version.
pub(super) async fn catalog(
    worker: &Worker,
    decoded: &Decoded,
    version: u32,
) -> Result<Arc<Catalog>, Outcome> {
    let Decoded { subject, job, input, .. } = decoded;
    let identifier = job.action.clone().unwrap_or_default();
    let current = worker.definitions.catalog(&subject.tenant);
    let definition = current.action(&identifier);
    check_tenant(subject, &identifier, definition.as_ref())?;
    if definition.is_none() {
        // known to a handler alone, or disabled or unknown, which the next step says
        let action = Action { identifier, definition, input: input.kind() };
        return match worker.handlers.supporting(&action) {
            Some(_) => Err(refuse(subject, &VersionError::NotVersioned(action.identifier))),
            None => Ok(current),
        };
    }
    let reading = worker.definitions.catalog_at(current, &identifier, version);
    match timeout(PATIENCE, reading).await {
        Ok(Ok(catalog)) => Ok(catalog),
        Ok(Err(error)) => Err(refuse(subject, &error)),
        Err(_) => Err(later(subject)),
    }
}

fn refuse(subject: &Subject, error: &VersionError) -> Outcome {
    if let VersionError::Away(cause) = error {
        tracing::warn!(%cause, "a version of a definition cannot be read");
        return later(subject);
    }
    Outcome::refused(subject, Code::UnknownAction, error.to_string())
}

fn later(subject: &Subject) -> Outcome {
    let message = "action_version: the version cannot be read from the store just now";
    let error = describe(subject, ErrorBody::new(Code::Internal, message));
    Outcome::Throttled { delay: LATER, error }.with_next()
}
