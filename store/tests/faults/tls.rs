use std::process::Command;

use actionfleet_local::Postgres;
use actionfleet_store::{StoreConfig, StoreError, open};

/// A server with a certificate for `localhost` and 127.0.0.1, signed by itself.
async fn with_tls(postgres: &Postgres) -> String {
    let folder = postgres.socket_folder().join("data");
    let (key, certificate) = (folder.join("server.key"), folder.join("server.crt"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl is installed");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for file in [&key, &certificate] {
        let closed = Command::new("chmod").arg("600").arg(file).status().unwrap();
        let whose = format!("--reference={}", folder.display());
        let owner = Command::new("chown").arg(whose).arg(file).status().unwrap();
        assert!(closed.success() && owner.success());
    }
    postgres.sql("postgres", "alter system set ssl = on").await.unwrap();
    postgres.stop().await.unwrap();
    postgres.start_again().await.unwrap();
    certificate.display().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn encryption_is_as_the_url_says() {
    let postgres = Postgres::start().await.unwrap();
    let url = postgres.database().await.unwrap();
    let certificate = with_tls(&postgres).await;
    let name = url.rsplit('/').next().unwrap();
    let encrypted = "select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid) \
                     where application_name = 'actionfleet'";
    for (query, ssl) in [
        ("sslmode=disable".to_owned(), "f"),
        ("sslmode=prefer".to_owned(), "t"),
        ("sslmode=require".to_owned(), "t"),
        (format!("sslmode=verify-full&sslrootcert={certificate}"), "t"),
    ] {
        let store = open(StoreConfig::new(format!("{url}?{query}"))).await.unwrap();
        store.catalog.snapshot().await.unwrap();
        assert_eq!(postgres.sql(name, encrypted).await.unwrap(), ssl, "{query}");
        drop(store);
        let gone = "select count(*) from pg_stat_activity where application_name = 'actionfleet'";
        while postgres.sql(name, gone).await.unwrap() != "0" {}
    }
    let error = open(StoreConfig::new(format!("{url}?sslmode=verify-full"))).await.unwrap_err();
    assert!(matches!(error, StoreError::Denied(_) | StoreError::Config(_)), "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");
    let absent = format!("{url}?sslmode=verify-full&sslrootcert=/nowhere.pem");
    let error = open(StoreConfig::new(absent)).await.unwrap_err();
    assert!(error.to_string().contains("/nowhere.pem"), "{error}");
}
