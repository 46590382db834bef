use std::fs;

use prometheus::TextEncoder;

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
    version: watch::Receiver<u64>,
    _watching: tokio_util::sync::DropGuard,
}

impl Watched {
    fn new(files: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let registry = Registry::new();
        let path = folder.path().join(".");
        let definitions = Definitions::open(Some(path), vec![], &registry).unwrap();
        let version = definitions.version();
        let cancel = CancellationToken::new();
        let watching = (definitions.clone(), cancel.clone());
        tokio::spawn(async move { watching.0.watch(watching.1).await });
        Self { folder, registry, definitions, version, _watching: cancel.drop_guard() }
    }

    /// Loads after a change without waiting for the system's event.
    fn change(&mut self, change: impl FnOnce(&Path)) {
        change(self.folder.path());
        self.definitions.0.reload(true);
        self.version.mark_unchanged();
    }

    fn url(&self, identifier: &str) -> Option<String> {
        Some(self.definitions.catalog().http_action(identifier)?.definition.url.clone())
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
    let mut watched = Watched::new(&[("a.yaml", action("a", "1"))]);
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
        changed = timeout(Duration::from_secs(20), watched.version.changed()) => {
            changed.unwrap().unwrap();
        }
    }
    assert_eq!(watched.url("a").unwrap(), "https://h.example/2");
}

#[tokio::test]
async fn a_bad_file_keeps_its_last_good_version() {
    let mut watched = Watched::new(&[("a.yaml", action("a", "1")), ("b.yaml", "kind: x".into())]);
    assert_eq!(watched.definitions.findings().len(), 1);
    for bad in ["kind: [", "", "kind: http_action\n"] {
        watched.change(write("a.yaml", bad.to_owned()));
        assert_eq!(watched.url("a").unwrap(), "https://h.example/1", "{bad:?}");
        assert!(watched.metrics().contains("actionfleet_definitions_errors 2"));
    }
    watched.change(|folder| {
        fs::write(folder.join("a.yaml"), action("a", "2")).unwrap();
        fs::remove_file(folder.join("b.yaml")).unwrap();
    });
    assert_eq!(watched.url("a").unwrap(), "https://h.example/2");
    let metrics = watched.metrics();
    assert!(metrics.contains("actionfleet_definitions_errors 0"), "{metrics}");
    assert!(metrics.contains(r#"actionfleet_definitions{kind="http_action"} 1"#), "{metrics}");
    watched.change(|folder| fs::remove_file(folder.join("a.yaml")).unwrap());
    assert_eq!(watched.url("a"), None);
}

#[tokio::test]
async fn a_second_definition_of_a_name_does_not_win_by_its_path() {
    let mut watched = Watched::new(&[("b.yaml", action("x", "first"))]);
    watched.change(write("a.yaml", action("x", "second")));
    assert_eq!(watched.url("x").unwrap(), "https://h.example/first");
    assert_eq!(watched.definitions.findings().len(), 1);
    // the file that is renamed into a conflict keeps what it was
    watched.change(write("a.yaml", action("y", "second")));
    watched.change(write("a.yaml", action("x", "third")));
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
        Watched::new(&[("p.yaml", provider.to_owned()), ("t.yaml", action_type("p"))]);
    watched.change(write("t.yaml", action_type("q")));
    assert_eq!(watched.definitions.findings()[0].field, "provider");
    assert!(watched.definitions.catalog().action("t").is_some());
    watched.change(|folder| fs::remove_file(folder.join("p.yaml")).unwrap());
    assert!(watched.definitions.catalog().provider("p").is_none());
    assert!(watched.definitions.catalog().action("t").is_some());
}

#[tokio::test]
async fn a_folder_that_vanishes_takes_nothing_with_it() {
    let mut watched = Watched::new(&[("a.yaml", action("a", "1"))]);
    watched.change(|folder| fs::remove_dir_all(folder).unwrap());
    assert!(watched.url("a").is_some());
    watched.change(|folder| {
        fs::create_dir(folder).unwrap();
        fs::write(folder.join("a.yaml"), action("a", "2")).unwrap();
    });
    assert_eq!(watched.url("a").unwrap(), "https://h.example/2");
}

#[test]
fn without_a_folder_the_built_in_ones() {
    let definitions = Definitions::open(None, vec![], &Registry::new()).unwrap();
    assert!(definitions.catalog().action("refine_text").is_some());
    let gone = Definitions::open(Some("/nowhere".into()), vec![], &Registry::new());
    assert!(matches!(gone, Err(OpenError::Folder { .. })));
}
