//! A context for tests of handlers.

use std::{sync::Arc, time::Duration};

use actionfleet_proto::Input;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    definitions::Catalog,
    handler::{Action, Context, Options, Trace},
};

/// The first attempt of `job-1` with this input, with ten seconds to go.
pub(crate) fn context(input: Value) -> Context {
    let input: Input = serde_json::from_value(input).unwrap();
    Context {
        job_id: "job-1".into(),
        tenant: "default".into(),
        action: Action { identifier: "test".into(), definition: None, input: input.kind() },
        attempt: 1,
        input: Arc::new(input),
        options: Arc::new(Options::default()),
        deadline: Instant::now() + Duration::from_secs(10),
        cancel: CancellationToken::new(),
        catalog: Arc::new(Catalog::default()),
        trace: Trace::default(),
    }
}
