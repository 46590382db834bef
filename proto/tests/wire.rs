//! The contract as files: generated schemas that must be committed, and golden messages that are
//! never edited.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::{env, fs, path::Path};

use actionfleet_proto::{
    Control, Job, JobResult, JobResultRef, Notification, WorkerReport, schema,
};
use serde_json::Value;

fn folder(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// `make schemas` sets REGENERATE and writes them anew.
#[test]
fn committed_schemas_are_those_of_the_types() {
    for (name, document) in schema::documents() {
        let path = folder("schema").join(name);
        let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
        if env::var_os("REGENERATE").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "{name} is not what the types say; run `make schemas`");
    }
}

fn golden<T: serde::de::DeserializeOwned>(prefix: &str, check: impl Fn(T, Value)) {
    let mut seen = 0;
    for entry in fs::read_dir(folder("tests/golden")).unwrap() {
        let path = entry.unwrap().path();
        if !path.file_name().unwrap().to_str().unwrap().starts_with(prefix) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        let message = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        check(message, value);
        seen += 1;
    }
    assert!(seen > 0, "no golden message {prefix}*");
}

#[test]
fn golden_jobs_read_and_mean_the_same() {
    golden("job-", |job: Job, value| {
        let body = serde_json::to_vec(&value).unwrap();
        assert_eq!(Job::from_slice(&body), Ok(job.clone()));
        let again = Job::from_slice(&serde_json::to_vec(&job).unwrap()).unwrap();
        assert_eq!(again, job);
    });
}

#[test]
fn golden_results_are_written_as_they_were() {
    golden("result-", |result: JobResult, value| {
        let borrowed = serde_json::to_string(&JobResultRef::from(&result)).unwrap();
        assert_eq!(borrowed, serde_json::to_string(&result).unwrap());
        assert_eq!(serde_json::to_value(result).unwrap(), value);
    });
}

#[test]
fn golden_notifications_controls_and_reports_are_written_as_they_were() {
    golden("notification-", |notification: Notification, value| {
        assert_eq!(serde_json::to_value(notification).unwrap(), value);
    });
    golden("control-", |control: Control, value| {
        assert_eq!(serde_json::to_value(control).unwrap(), value);
    });
    golden("report-", |report: WorkerReport, value| {
        assert_eq!(serde_json::to_value(report).unwrap(), value);
    });
}
