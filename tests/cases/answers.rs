//! Jobs of many texts, against a service that speaks OpenAI's API.

use actionfleet_local::{Misbehaviour, Standin};
use actionfleet_proto::{Code, Notification, NotificationStatus, Output, Status};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::Rig;

/// A folder with one provider, the stand-in. It takes any key: here a variable that is always set.
fn definition(standin: &Standin) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let provider = json!({
        "kind": "provider", "identifier": "standin", "base_url": format!("{}/v1", standin.url()),
        "models": {"stand-in-1": {}}, "default_model": "stand-in-1", "api_key": "PATH",
    });
    std::fs::write(folder.path().join("standin.json"), provider.to_string()).unwrap();
    folder
}

fn texts(count: usize) -> Value {
    (0..count).map(|n| json!(format!("text  {n}"))).collect()
}

#[tokio::test]
async fn a_job_tells_how_far_it_is_where_that_is_wanted() {
    let standin = Standin::start(Misbehaviour::default()).await.unwrap();
    let folder = definition(&standin);
    let mut rig = Rig::with(|config| config.definitions = Some(folder.path().to_owned())).await;
    let mut notes = rig.bound("actionfleet.notifications", "#").await;
    let mut job = json!({"action": "refine_text", "input": {"text": texts(9)}});
    for (id, notify) in [("quiet", json!(["completed"])), ("told", json!(["progress"]))] {
        job["notify"] = notify;
        let result = rig.run(id, &job).await;
        assert_eq!(result.status, Status::Succeeded, "{result:?}");
        let Some(Output::Text(answers)) = result.output else { panic!("{id}") };
        assert_eq!(answers.last().unwrap(), "Text 8");
    }
    let mut seen = Vec::new();
    while !seen.contains(&9) {
        let delivery = notes.next().await.unwrap();
        let note: Notification = serde_json::from_slice(&delivery.body).unwrap();
        delivery.ack().await.unwrap();
        if note.id == "quiet" {
            assert_eq!(note.status, NotificationStatus::Completed);
            continue;
        }
        assert_eq!((note.status, note.attempt), (NotificationStatus::Progress, 1));
        assert_eq!((note.slug.as_str(), note.input), ("action-progress", Value::Null));
        let progress = note.progress.unwrap();
        assert_eq!(note.description, format!("{} of 9 answers are there.", progress.done));
        assert_eq!(progress.total, 9);
        seen.push(progress.done);
    }
    assert!(seen.contains(&1), "the first goes out at once: {seen:?}");
}

#[tokio::test]
async fn answers_that_do_not_fit_a_result_end_the_job() {
    let standin = Standin::start(Misbehaviour::default()).await.unwrap();
    let folder = definition(&standin);
    let mut rig = Rig::with(|config| {
        config.definitions = Some(folder.path().to_owned());
        // a result of 64 KiB besides its output
        config.limits.job_bytes = 64 * 1024 + 200;
    })
    .await;
    let result =
        rig.run("r", &json!({"action": "refine_text", "input": {"text": texts(500)}})).await;
    assert_eq!(result.error.unwrap().code, Code::ResponseTooLarge);
    assert!(standin.stats().requests < 30, "{:?}", standin.stats());
}
