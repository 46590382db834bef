use std::time::Duration;

use super::*;

fn env(variables: &[(&str, &str)]) -> Layers {
    let environment =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Layers { environment, ..Layers::default() }
}

fn flags(flags: &[(&str, &str)]) -> Layers {
    let flags = flags.iter().map(|(key, value)| Override {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
        flag: "--set",
    });
    Layers { flags: flags.collect(), ..Layers::default() }
}

fn file(text: &str) -> (tempfile::TempDir, Layers) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.toml");
    std::fs::write(&path, text).unwrap();
    (folder, Layers { file: Some(path), ..Layers::default() })
}

fn problems(layers: Layers) -> String {
    Settings::load(layers).unwrap_err().to_string()
}

fn effective(settings: &Settings, key: &str) -> Effective {
    settings.effective().into_iter().find(|value| value.key == key).unwrap()
}

#[test]
fn the_defaults_hold_together() {
    let settings = Settings::load(Layers::default()).unwrap();
    let worker = settings.worker_config(Some(1024)).unwrap();
    let expected = actionfleet_worker::config::WorkerConfig::default();
    assert_eq!(format!("{worker:?}"), format!("{expected:?}"));
    let producer = settings.producer_config();
    let expected = actionfleet_producer::ProducerConfig::default();
    assert_eq!(format!("{producer:?}"), format!("{expected:?}"));
    assert_eq!(settings.broker.heartbeat.0, Duration::from_secs(20));
}

#[test]
fn later_layers_replace_earlier_ones_and_are_named() {
    let (_folder, mut layers) = file(
        "[broker]\nprefix = \"file\"\nheartbeat = \"5s\"\n[worker]\npermits = 10\n\
         [http]\nallow_networks = [\"10.0.0.0/8\", \"fd00::/8\"]",
    );
    layers.environment = env(&[
        ("ACTIONFLEET__BROKER__PREFIX", "env"),
        ("ACTIONFLEET__WORKER__PERMITS", "20"),
        ("ACTIONFLEET_SERVICE_HOST", "10.0.0.1"),
    ])
    .environment;
    layers.flags = flags(&[("broker.prefix", "flag")]).flags;
    let settings = Settings::load(layers).unwrap();
    assert_eq!(settings.broker.prefix.0, "flag");
    assert_eq!(settings.worker.permits.get(), 20);
    assert_eq!(settings.broker.heartbeat.0, Duration::from_secs(5));
    assert_eq!(settings.http.allow_networks.0.len(), 2);
    for (key, origin) in [
        ("broker.prefix", "--set"),
        ("worker.permits", "ACTIONFLEET__WORKER__PERMITS"),
        ("worker.grace", "default"),
    ] {
        assert_eq!(effective(&settings, key).origin.to_string(), origin);
    }
    assert!(effective(&settings, "broker.heartbeat").origin.to_string().ends_with("fleet.toml"));
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let (_folder, mut layers) = file(
        "[broker]\nurl = \"http://u:secret@h\"\nheartbeet = \"5s\"\n[worker]\ngrace = 30\n\
         [lanes.\"no lane\"]\nweight = 1\n[lanes.fast]\npermits = 0\nwaight = 2",
    );
    layers.environment =
        env(&[("ACTIONFLEET__ADMIN__LISTEN", "here"), ("ACTIONFLEET_BROKER_PREFIX", "x")])
            .environment;
    layers.flags = flags(&[
        ("permits", "5"),
        ("breaker.failure_ratio", "1.5"),
        ("limits.job_bytes", "16MB"),
        ("log.filter", "info,=,"),
        ("colour", "blue"),
    ])
    .flags;
    let told = problems(layers);
    for problem in [
        "broker.url: \"http://u:***@h/\" has another scheme; expected amqp://",
        "broker.heartbeet: there is no such key; did you mean `broker.heartbeat`?",
        "worker.grace: \"30\" is not a duration with a unit",
        "lanes.no lane.weight: a lane has 1 to 64",
        "lanes.fast.permits: \"0\" is not a whole number from 1 to 65535",
        "lanes.fast.waight: there is no such key; did you mean `lanes.fast.weight`?",
        "admin.listen: \"here\" is not an address",
        "(from ACTIONFLEET__ADMIN__LISTEN)",
        "write ACTIONFLEET__BROKER__PREFIX (from ACTIONFLEET_BROKER_PREFIX)",
        "permits: there is no such key; did you mean `worker.permits`?",
        "breaker.failure_ratio: \"1.5\"",
        "limits.job_bytes: \"16MB\" is not a size",
        "log.filter: \"info,=,\"",
        "colour: there is no such key; `actionfleet config --reference` lists all keys",
    ] {
        assert!(told.contains(problem), "{problem}\nis not in\n{told}");
    }
    assert!(!told.contains("secret"), "{told}");
}

#[test]
fn keys_are_checked_against_each_other() {
    for (set, problem) in [
        (("limits.max_timeout", "30m"), "limits.max_timeout: 30m and worker.grace (30s) reach"),
        (("limits.timeout", "11m"), "longer than limits.max_timeout (10m)"),
        (("worker.lanes", "bulk,fast"), "there is no lane \"fast\" among bulk, default"),
        (("broker.heartbeat", "2h"), "from 1s to 1h"),
    ] {
        let told = problems(flags(&[set]));
        assert!(told.contains(problem), "{told}");
    }
    let roomy = [("limits.max_timeout", "1h"), ("broker.consumer_timeout", "2h")];
    Settings::load(flags(&roomy)).unwrap();
}

#[test]
fn permits_need_open_files() {
    let settings = Settings::load(flags(&[("worker.permits", "10000")])).unwrap();
    let error = settings.worker_config(Some(1024)).unwrap_err().to_string();
    assert!(error.contains("worker.permits: 10000 jobs at once") && error.contains("--set"));
    settings.worker_config(Some(20_000)).unwrap();
    settings.worker_config(None).unwrap();
}

#[test]
fn lanes_share_the_permits_by_weight() {
    type Case = (&'static [(&'static str, &'static str)], &'static [(&'static str, u16)]);
    let cases: [Case; 6] = [
        (&[], &[("bulk", 64), ("default", 192)]),
        (&[("worker.permits", "10")], &[("bulk", 2), ("default", 8)]),
        (&[("worker.permits", "1")], &[("bulk", 1), ("default", 1)]),
        (&[("worker.lanes", "bulk")], &[("bulk", 256)]),
        (&[("lanes.bulk.permits", "56")], &[("bulk", 56), ("default", 200)]),
        (&[("lanes.fast.weight", "4")], &[("bulk", 32), ("default", 96), ("fast", 128)]),
    ];
    for (set, expected) in cases {
        let permits = Settings::load(flags(set)).unwrap().permits();
        let permits: Vec<(&str, u16)> =
            permits.iter().map(|(name, permits)| (name.as_str(), *permits)).collect();
        assert_eq!(permits, expected, "{set:?}");
    }
}

#[test]
fn passwords_are_never_shown() {
    for (url, shown) in [
        ("amqp://u:secret@h:5672/%2f", "amqp://u:***@h:5672/%2f"),
        ("amqps://u@h/x", "amqps://u@h/x"),
    ] {
        let settings = Settings::load(flags(&[("broker.url", url)])).unwrap();
        assert_eq!(effective(&settings, "broker.url").value, shown);
    }
    for url in ["u:secret@h", "amqp://u:secret@h:port/", "//u:secret@h"] {
        let told = problems(flags(&[("broker.url", url)]));
        assert!(!told.contains("secret"), "{told}");
    }
}

#[test]
fn a_file_that_is_asked_for_must_exist_and_read() {
    let missing = Layers { file: Some("/nowhere/x.toml".into()), ..Layers::default() };
    assert!(problems(missing).contains("/nowhere/x.toml"));
    let (_folder, broken) = file("[broker\nurl = 1");
    let told = problems(broken);
    assert!(told.contains("fleet.toml") && told.contains('1'), "{told}");
}

#[test]
fn the_reference_has_every_key() {
    let page = reference();
    for line in [
        "| `broker.url` | URL | `amqp://guest:guest@127.0.0.1:5672/%2f` | Where the queue is",
        "| `lanes.<lane>.permits` | 1 to 65535 |  | Jobs of the lane",
        "| `limits.job_bytes` | bytes | `16MiB` | The largest job body. |",
    ] {
        assert!(page.contains(line), "{line}\nis not in\n{page}");
    }
}
