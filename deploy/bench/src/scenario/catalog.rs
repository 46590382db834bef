//! A worker with many definitions in its store, and one with none but that of its jobs.

use std::path::Path;

use serde_json::json;

use super::{
    embedded::{Round, measure, run, store},
    stage::Stage,
    work::scaled,
};
use crate::report::{Goal, Report, say};

const PROVIDERS: u32 = 1_000;
const ACTION_TYPES: u32 = 3_000;
const HTTP_ACTIONS: u32 = 6_000;

/// Backend 0 ms, 256 permits, 20,000 jobs; no ledger.
pub(crate) async fn catalog(stage: &Stage, scale: f64, report: &mut Report) -> anyhow::Result<()> {
    say("catalog: one worker on a folder; `bare` has one definition, the fleet 10,001");
    let count = scaled(20_000, scale);
    let definitions = tempfile::tempdir_in(stage.folder.path())?;
    write(definitions.path())?;
    let mut best = [Round::default(); 2];
    for _ in 0..3 {
        for (best, many) in best.iter_mut().zip([false, true]) {
            let folder = tempfile::tempdir_in(stage.folder.path())?;
            let store = store(folder.path());
            if many {
                let path = definitions.path().display().to_string();
                run(stage, &["catalog", "apply", &path, "--set", &store]).await?;
            }
            let sets = vec![store, "store.ledger=off".to_owned()];
            *best = best.or(measure(stage, folder.path(), count, sets).await?);
        }
    }
    let [few, many] = best;
    report.alone(
        "from exec to ready, 10,001 definitions",
        "ms",
        many.start_ms,
        Goal::AtMost(1000.0),
    );
    let (what, goal) = ("processor time a job, 10,001 definitions", Goal::AtMost(1.1));
    report.compare(what, "µs", few.micros_per_job, many.micros_per_job, goal);
    let what = "jobs/s, 10,001 definitions";
    report.inform(what, "/s", few.jobs_per_second, many.jobs_per_second);
    Ok(())
}

/// A file each.
fn write(folder: &Path) -> anyhow::Result<()> {
    let providers = (0..PROVIDERS).map(|number| {
        json!({
            "kind": "provider", "identifier": format!("provider-{number}"),
            "names": {"eng-GB": format!("Provider {number}")},
            "base_url": "http://127.0.0.1:9/v1", "models": {"small": {"max_tokens": 4096}},
            "default_model": "small",
        })
    });
    let action_types = (0..ACTION_TYPES).map(|number| {
        json!({
            "kind": "action_type", "identifier": format!("type-{number}"),
            "names": {"eng-GB": format!("Type {number}")}, "input": "text", "output": "text",
            "base_prompt": format!("Correct the spelling of text {number}. Change nothing else."),
            "options": {
                "type": "object",
                "properties": {"max_length": {"type": "integer", "minimum": 1}},
            },
            "provider": format!("provider-{}", number % PROVIDERS),
        })
    });
    let http_actions = (0..HTTP_ACTIONS).map(|number| {
        json!({
            "kind": "http_action", "identifier": format!("action-{number}"), "method": "POST",
            "names": {"eng-GB": format!("Action {number}")},
            "url": format!("http://127.0.0.1:9/projects/{{{{ project }}}}/tickets/{number}"),
            "headers": {"authorization": "Bearer {{ secrets.TICKETS_KEY }}"},
            "body": {"title": "{{ title }}", "priority": "{{ priority | default(3) }}"},
            "parameters": {
                "type": "object", "required": ["project", "title"],
                "properties": {"project": {"type": "string"}, "title": {"type": "string"}},
            },
        })
    });
    for (number, definition) in providers.chain(action_types).chain(http_actions).enumerate() {
        std::fs::write(folder.join(format!("{number}.json")), definition.to_string())?;
    }
    Ok(())
}
