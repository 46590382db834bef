//! Contexts and backends for tests of handlers.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use actionfleet_proto::Input;
use axum::Router;
use prometheus::Registry;
use serde_json::Value;
use tokio::{net::TcpListener, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    backend::Backends,
    config::{BreakerConfig, HttpConfig, Limits},
    definitions::{self, Catalog, Loaded, Referable},
    handler::{Action, Context, Options, Progress, Trace},
    secrets::EnvSecrets,
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
        output_bytes: Limits::default().output_bytes(),
        cancel: CancellationToken::new(),
        catalog: Arc::new(Catalog::default()),
        trace: Trace::default(),
        progress: Progress::default(),
    }
}

/// The same for an action of these definitions, in JSON.
pub(crate) fn context_for(action: &str, input: Value, definitions: &[Value]) -> Context {
    let folder = tempfile::tempdir().unwrap();
    for (index, definition) in definitions.iter().enumerate() {
        let path = folder.path().join(format!("{index}.json"));
        std::fs::write(path, definition.to_string()).unwrap();
    }
    let loaded = definitions::load(folder.path(), &Referable::default()).unwrap();
    let Loaded { catalog, findings, .. } = loaded;
    assert!(findings.is_empty(), "{findings:?}");
    let mut context = context(input);
    context.action.identifier = action.to_owned();
    context.action.definition = catalog.action(action);
    context.catalog = Arc::new(catalog);
    context
}

/// May call this machine; takes responses of up to 100,000 bytes.
pub(crate) fn backends() -> Arc<Backends> {
    let http = HttpConfig { allow_networks: vec!["127.0.0.0/8".parse().unwrap()] };
    let limits = Limits { response_bytes: 100_000, ..Limits::default() };
    let breaker = BreakerConfig::default();
    Arc::new(Backends::new(&http, &breaker, &limits, &Registry::new()).unwrap())
}

/// Knows `API_KEY` alone.
pub(crate) fn secrets() -> Arc<EnvSecrets> {
    let variables = HashMap::from([("API_KEY", "k&y=1")]);
    let read = move |name: &str| variables.get(name).map(|value| (*value).to_owned());
    Arc::new(EnvSecrets::reading(read))
}

pub(crate) async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}
