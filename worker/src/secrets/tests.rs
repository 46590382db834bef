use std::{collections::HashMap, sync::Arc, time::Duration};

use actionfleet_store::{KeyRing, StoreConfig};
use secrecy::ExposeSecret;

use super::*;

fn secrets(variables: &[(&str, &str)]) -> EnvSecrets {
    let variables: HashMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    EnvSecrets::reading(move |name| variables.get(name).cloned())
}

fn read(secrets: &EnvSecrets, name: &str) -> Result<String, (Code, String)> {
    SecretValues::get(secrets, name)
        .map(|secret| secret.expose_secret().to_owned())
        .map_err(|error| (error.code, error.message))
}

#[test]
fn names() {
    for (name, good) in [
        ("OPENAI_API_KEY", true),
        ("K2", true),
        ("", false),
        ("2K", false),
        ("_K", false),
        ("key", false),
        ("A-B", false),
        ("PATH=", false),
        ("ÄB", false),
    ] {
        assert_eq!(is_secret_name(name), good, "{name:?}");
    }
}

#[test]
fn the_variable_goes_before_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, "from file\n").unwrap();
    let path = path.to_str().unwrap();
    let secrets = secrets(&[("BOTH", "from variable"), ("BOTH_FILE", path), ("KEY_FILE", path)]);
    assert_eq!(read(&secrets, "BOTH").unwrap(), "from variable");
    assert_eq!(read(&secrets, "KEY").unwrap(), "from file");
}

#[test]
fn what_is_missing_is_named() {
    let secrets = secrets(&[("GONE_FILE", "/nowhere/at/all")]);
    for (name, text) in [
        ("KEY", "the secret KEY is not set"),
        ("GONE", "the secret GONE: cannot read the file of GONE_FILE: "),
        ("lower", "\"lower\" is not the name of a secret"),
    ] {
        let (code, message) = read(&secrets, name).unwrap_err();
        assert_eq!(code, Code::MissingSecret);
        assert!(message.starts_with(text), "{message}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_is_read_again_when_its_time_is_over() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let secrets = secrets(&[("KEY_FILE", file.path().to_str().unwrap())]);
    for (content, read_as) in [("one\r\n", "one"), ("two", "one"), ("three\n\n", "one")] {
        std::fs::write(file.path(), content).unwrap();
        assert_eq!(read(&secrets, "KEY").unwrap(), read_as);
        tokio::time::advance(Duration::from_secs(4)).await;
    }
    assert_eq!(read(&secrets, "KEY").unwrap(), "three\n");
}

#[test]
fn debug_shows_nothing() {
    let secrets = secrets(&[("KEY", "hunter2")]);
    assert!(!format!("{secrets:?} {:?}", SecretValues::get(&secrets, "KEY")).contains("hunter2"));
}

/// Two values of the store, one of them of a tenant, and an environment behind it.
#[tokio::test]
async fn the_store_goes_before_the_environment_and_the_tenant_before_all() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("store.db").display());
    let keys = |id: &str, digit: &str| {
        KeyRing::parse(&SecretString::from(format!("{id}:{}", digit.repeat(64)))).unwrap()
    };
    let config = StoreConfig { keys: Some(keys("k", "a")), ..StoreConfig::new(url.clone()) };
    let store = actionfleet_store::open(config).await.unwrap();
    store.secrets.set("default", "KEY", "for all".into()).await.unwrap();
    store.secrets.set("own", "KEY", "its own".into()).await.unwrap();
    let environment = || secrets(&[("KEY", "variable"), ("OTHER", "variable")]);
    let stored = StoreSecrets::new(store.secrets.clone(), environment());
    for (tenant, name, value) in [
        ("default", "KEY", "for all"),
        ("other", "KEY", "for all"),
        ("own", "KEY", "its own"),
        ("own", "OTHER", "variable"),
    ] {
        let found = Secrets::get(&stored, tenant, name).await.unwrap();
        assert_eq!(found.expose_secret(), value, "{tenant} {name}");
    }
    for (tenant, tenants) in [("own", "own or default"), ("default", "default")] {
        let gone = Secrets::get(&stored, tenant, "GONE").await.unwrap_err();
        let text = format!("the secret GONE is not set, neither in the store for tenant {tenants}");
        assert_eq!((gone.code, gone.message), (Code::MissingSecret, text));
    }

    let config = StoreConfig { keys: Some(keys("other", "b")), ..StoreConfig::new(url) };
    let sealed = actionfleet_store::open(config).await.unwrap();
    let sealed = StoreSecrets::new(Arc::clone(&sealed.secrets), environment());
    let error = Secrets::get(&sealed, "own", "KEY").await.unwrap_err();
    assert_eq!(error.code, Code::MissingSecret);
    assert!(error.message.contains("encrypted with key k"), "{}", error.message);
}
