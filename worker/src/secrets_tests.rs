use secrecy::ExposeSecret;

use super::*;

fn secrets(variables: &[(&str, &str)]) -> EnvSecrets {
    let variables: HashMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    EnvSecrets::reading(move |name| variables.get(name).cloned())
}

fn read(secrets: &EnvSecrets, name: &str) -> Result<String, (Code, String)> {
    secrets
        .get(name)
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
    assert!(!format!("{secrets:?} {:?}", secrets.get("KEY")).contains("hunter2"));
}
