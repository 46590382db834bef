//! HTTP actions against a backend that misbehaves.

use actionfleet_local::{Misbehaviour, Standin};
use actionfleet_proto::{Code, Status};
use serde_json::json;
use tempfile::TempDir;

use crate::harness::Rig;

/// A folder with one HTTP action, called `call`, to a path of the stand-in.
fn definition(standin: &Standin, path: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let action = json!({
        "kind": "http_action", "identifier": "call", "method": "POST",
        "url": format!("{}{path}", standin.url()), "body": {"text": "{{ text }}"},
        "retry": {"initial_delay": "10ms"},
    });
    std::fs::write(folder.path().join("call.json"), action.to_string()).unwrap();
    folder
}

#[tokio::test]
async fn a_backend_that_recovers_is_called_until_it_answers() {
    let standin = Standin::start(Misbehaviour::default()).await.unwrap();
    let folder = definition(&standin, "/faults/sequence-500-500-200");
    let mut rig = Rig::with(|config| {
        config.definitions = Some(folder.path().to_owned());
        config.http.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let result = rig.run("f", &json!({"action": "call", "input": {"text": "a"}})).await;
    assert_eq!(result.status, Status::Succeeded, "{result:?}");
    let codes: Vec<_> = result.attempts.iter().map(|attempt| attempt.code).collect();
    assert_eq!(codes, [Some(Code::BackendError), Some(Code::BackendError), None]);
    assert_eq!(standin.calls().get("f"), Some(&3), "each call names its job");
}

#[tokio::test]
async fn an_address_inside_is_not_called_unless_it_is_allowed() {
    let standin = Standin::start(Misbehaviour::default()).await.unwrap();
    let folder = definition(&standin, "/echo");
    let mut rig = Rig::with(|config| config.definitions = Some(folder.path().to_owned())).await;
    let result = rig.run("b", &json!({"action": "call", "input": {"text": "a"}})).await;
    assert_eq!(result.error.unwrap().code, Code::BlockedAddress);
    assert_eq!(standin.stats().requests, 0);
}
