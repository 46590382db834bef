use std::{fs, path::Path, time::Duration};

use prometheus::TextEncoder;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::*;

fn action(identifier: &str, path: &str) -> String {
    format!(
        "kind: http_action\nidentifier: {identifier}\nmethod: GET\nurl: https://h.example/{path}\n"
    )
}

struct Watched {
    folder: tempfile::TempDir,
    registry: Registry,
    definitions: Definitions,
    loads: watch::Receiver<u64>,
    _watching: tokio_util::sync::DropGuard,
}

impl Watched {
    async fn new(files: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let registry = Registry::new();
        let path = folder.path().join(".");
        let source = Source::Folder(path);
        let definitions = Definitions::open(source, vec![], &registry).await.unwrap();
        let loads = definitions.loads();
        let cancel = CancellationToken::new();
        let watching = (definitions.clone(), cancel.clone());
        tokio::spawn(async move { watching.0.follow(watching.1).await });
        Self { folder, registry, definitions, loads, _watching: cancel.drop_guard() }
    }

    /// Loads after a change without waiting for the system's event.
    async fn change(&mut self, change: impl FnOnce(&Path)) {
        change(self.folder.path());
        let inner = &self.definitions.0;
        inner.stay_with_the_last(inner.read_folder(&inner.by_themselves()).await);
        self.loads.mark_unchanged();
    }

    fn url(&self, identifier: &str) -> Option<String> {
        Some(self.definitions.catalog("default").http_action(identifier)?.definition.url.clone())
    }

    fn metrics(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap()
    }
}

fn write(name: &'static str, text: String) -> impl FnOnce(&Path) {
    move |folder| fs::write(folder.join(name), text).unwrap()
}

#[tokio::test]
async fn a_change_is_seen_without_a_restart() {
    let mut watched = Watched::new(&[("a.yaml", action("a", "1"))]).await;
    // until the watch is there, the event may be missed: write until it is seen
    let path = watched.folder.path().join("a.yaml");
    let writing = async {
        loop {
            fs::write(&path, action("a", "2")).unwrap();
            sleep(Duration::from_millis(300)).await;
        }
    };
    tokio::select! {
        () = writing => {}
        changed = timeout(Duration::from_secs(20), watched.loads.changed()) => {
            changed.unwrap().unwrap();
        }
    }
    assert_eq!(watched.url("a").unwrap(), "https://h.example/2");
}

#[tokio::test]
async fn a_bad_file_keeps_its_last_good_version() {
    let mut watched =
        Watched::new(&[("a.yaml", action("a", "1")), ("b.yaml", "kind: x".into())]).await;
    assert_eq!(watched.definitions.findings().len(), 1);
    for bad in ["kind: [", "", "kind: http_action\n"] {
        watched.change(write("a.yaml", bad.to_owned())).await;
        assert_eq!(watched.url("a").unwrap(), "https://h.example/1", "{bad:?}");
        assert!(watched.metrics().contains("actionfleet_definitions_errors 2"));
    }
    watched
        .change(|folder| {
            fs::write(folder.join("a.yaml"), action("a", "2")).unwrap();
            fs::remove_file(folder.join("b.yaml")).unwrap();
        })
        .await;
    assert_eq!(watched.url("a").unwrap(), "https://h.example/2");
    let metrics = watched.metrics();
    assert!(metrics.contains("actionfleet_definitions_errors 0"), "{metrics}");
    assert!(metrics.contains(r#"actionfleet_definitions{kind="http_action"} 1"#), "{metrics}");
    watched.change(|folder| fs::remove_file(folder.join("a.yaml")).unwrap()).await;
    assert_eq!(watched.url("a"), None);
}

#[tokio::test]
async fn a_second_definition_of_a_name_does_not_win_by_its_path() {
    let mut watched = Watched::new(&[("b.yaml", action("x", "first"))]).await;
    watched.change(write("a.yaml", action("x", "second"))).await;
    assert_eq!(watched.url("x").unwrap(), "https://h.example/first");
    assert_eq!(watched.definitions.findings().len(), 1);
    // the file that is renamed into a conflict keeps what it was
    watched.change(write("a.yaml", action("y", "second"))).await;
    watched.change(write("a.yaml", action("x", "third"))).await;
    assert_eq!(watched.url("x").unwrap(), "https://h.example/first");
    assert_eq!(watched.url("y").unwrap(), "https://h.example/second");
}

#[tokio::test]
async fn what_refers_to_a_vanished_provider_stays_and_is_reported() {
    let provider = "kind: provider\nidentifier: p\nbase_url: http://h.example\n\
                    default_model: m\nmodels: {m: {}}\n";
    let action_type = |provider: &str| {
        format!(
            "kind: action_type\nidentifier: t\ninput: text\noutput: text\nprovider: {provider}\n"
        )
    };
    let mut watched =
        Watched::new(&[("p.yaml", provider.to_owned()), ("t.yaml", action_type("p"))]).await;
    watched.change(write("t.yaml", action_type("q"))).await;
    assert_eq!(watched.definitions.findings()[0].field, "provider");
    assert!(watched.definitions.catalog("default").action("t").is_some());
    watched.change(|folder| fs::remove_file(folder.join("p.yaml")).unwrap()).await;
    assert!(watched.definitions.catalog("default").provider("p").is_none());
    assert!(watched.definitions.catalog("default").action("t").is_some());
}

#[tokio::test]
async fn a_folder_that_vanishes_takes_nothing_with_it() {
    let mut watched = Watched::new(&[("a.yaml", action("a", "1"))]).await;
    watched.change(|folder| fs::remove_dir_all(folder).unwrap()).await;
    assert!(watched.url("a").is_some());
    watched
        .change(|folder| {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join("a.yaml"), action("a", "2")).unwrap();
        })
        .await;
    assert_eq!(watched.url("a").unwrap(), "https://h.example/2");
}

#[tokio::test]
async fn without_a_folder_the_built_in_ones() {
    let definitions = Definitions::open(Source::BuiltIn, vec![], &Registry::new()).await.unwrap();
    assert!(definitions.catalog("any").action("refine_text").is_some());
    let registry = Registry::new();
    let gone = Definitions::open(Source::Folder("/nowhere".into()), vec![], &registry);
    assert!(matches!(gone.await, Err(OpenError::Folder { .. })));
}
