use std::{sync::Arc, time::Duration};

use actionfleet_store::{KeyRing, Secrets, StoreConfig, StoreError, open};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;

use crate::place::Place;

fn ring(keys: &[(&str, char)]) -> KeyRing {
    let line = |(id, digit): &(&str, char)| format!("{id}:{}", digit.to_string().repeat(64));
    let text: Vec<String> = keys.iter().map(line).collect();
    KeyRing::parse(&SecretString::from(text.join("\n"))).unwrap()
}

async fn secrets(place: &Place, keys: &[(&str, char)]) -> Arc<dyn Secrets> {
    let config = StoreConfig { keys: Some(ring(keys)), ..place.config() };
    open(config).await.unwrap().secrets
}

async fn value(secrets: &dyn Secrets, tenant: &str, name: &str) -> Option<String> {
    let value = secrets.get(tenant, name).await.unwrap();
    value.map(|value| value.expose_secret().to_owned())
}

pub async fn a_tenant_has_its_own_or_the_default_one(place: &Place) {
    let secrets = secrets(place, &[("k", '1')]).await;
    assert_eq!(value(&*secrets, "acme", "API_KEY").await, None);
    secrets.set("default", "API_KEY", "shared".into()).await.unwrap();
    assert_eq!(value(&*secrets, "acme", "API_KEY").await.as_deref(), Some("shared"));
    secrets.set("acme", "API_KEY", "own".into()).await.unwrap();
    assert_eq!(value(&*secrets, "acme", "API_KEY").await.as_deref(), Some("own"));
    assert_eq!(value(&*secrets, "default", "API_KEY").await.as_deref(), Some("shared"));
    secrets.set("acme", "API_KEY", "newer".into()).await.unwrap();
    assert_eq!(value(&*secrets, "acme", "API_KEY").await.as_deref(), Some("newer"));
    assert!(secrets.delete("acme", "API_KEY").await.unwrap());
    assert!(!secrets.delete("acme", "API_KEY").await.unwrap());
    assert_eq!(value(&*secrets, "acme", "API_KEY").await.as_deref(), Some("shared"));
}

pub async fn a_list_has_names_and_no_values(place: &Place) {
    let secrets = secrets(place, &[("k", '1')]).await;
    for name in ["B_KEY", "A_KEY"] {
        secrets.set("acme", name, "sesame".into()).await.unwrap();
    }
    secrets.set("default", "C_KEY", "sesame".into()).await.unwrap();
    let listed = secrets.list("acme").await.unwrap();
    let names: Vec<_> = listed.iter().map(|it| (&*it.name, it.used_at, &*it.key_id)).collect();
    assert_eq!(names, [("A_KEY", None, "k"), ("B_KEY", None, "k")]);
    value(&*secrets, "acme", "A_KEY").await.unwrap();
    let listed = secrets.list("acme").await.unwrap();
    assert!(listed[0].used_at.is_some() && listed[1].used_at.is_none(), "{listed:?}");
    // a borrowed one was used where it is
    value(&*secrets, "acme", "C_KEY").await.unwrap();
    assert!(secrets.list("default").await.unwrap()[0].used_at.is_some());
    assert!(!format!("{listed:?} {secrets:?}").contains("sesame"));
}

pub async fn a_change_elsewhere_empties_the_cache(place: &Place) {
    let keys = [("k", '1')];
    let (here, there) = (secrets(place, &keys).await, secrets(place, &keys).await);
    here.set("default", "KEY", "0".into()).await.unwrap();
    assert_eq!(value(&*there, "default", "KEY").await.as_deref(), Some("0"));
    for number in 1..4 {
        let text = number.to_string();
        here.set("default", "KEY", text.clone().into()).await.unwrap();
        assert_eq!(value(&*here, "default", "KEY").await, Some(text.clone()));
        let seen = async {
            while value(&*there, "default", "KEY").await.as_ref() != Some(&text) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(5), seen).await.expect("the change is seen");
    }
}

pub async fn keys_are_rotated(place: &Place) {
    let old = secrets(place, &[("old", '1')]).await;
    for number in 0..250 {
        let value = format!("value {number}");
        old.set("default", &format!("KEY_{number}"), value.into()).await.unwrap();
    }
    let both = secrets(place, &[("new", '2'), ("old", '1')]).await;
    assert_eq!(value(&*both, "default", "KEY_7").await.as_deref(), Some("value 7"));
    assert_eq!(both.rotate().await.unwrap(), 250);
    assert_eq!(both.rotate().await.unwrap(), 0);
    let listed = both.list("default").await.unwrap();
    assert!(listed.len() == 250 && listed.iter().all(|it| it.key_id == "new"));

    let new = secrets(place, &[("new", '2')]).await;
    assert_eq!(value(&*new, "default", "KEY_249").await.as_deref(), Some("value 249"));
    // the other way round, without the key that they are under
    let error = old.rotate().await.unwrap_err();
    assert!(matches!(&error, StoreError::Sealed { key, .. } if key == "new"), "{error}");
    let fresh = secrets(place, &[("old", '1')]).await;
    let error = fresh.get("default", "KEY_1").await.unwrap_err();
    assert!(error.to_string().contains("encrypted with key new, which is not configured"));
    assert_eq!(value(&*new, "default", "KEY_1").await.as_deref(), Some("value 1"));
}

pub async fn without_a_key_nothing_is_kept(place: &Place) {
    let secrets = open(StoreConfig { keys: None, ..place.config() }).await.unwrap().secrets;
    let error = secrets.set("default", "KEY", "sesame".into()).await.unwrap_err();
    assert!(error.to_string().contains("no key is configured"), "{error}");
    assert_eq!(secrets.list("default").await.unwrap(), []);
    assert!(secrets.get("default", "KEY").await.unwrap().is_none());
}

pub async fn what_does_not_fit_is_refused(place: &Place) {
    let secrets = secrets(place, &[("k", '1')]).await;
    for (field, tenant, name, value) in [
        ("name", "default", "sk-live-12345", "x".to_owned()),
        ("name", "default", "", "x".to_owned()),
        ("tenant", "a b", "KEY", "x".to_owned()),
        ("value", "default", "KEY", String::new()),
        ("value", "default", "KEY", "x".repeat(64 * 1024 + 1)),
    ] {
        let error = secrets.set(tenant, name, value.into()).await.unwrap_err();
        assert!(matches!(&error, StoreError::Invalid { field: it, .. } if *it == field), "{error}");
        assert!(!error.to_string().contains("sk-live"), "{error}");
    }
    secrets.set("default", "KEY", "x".repeat(64 * 1024).into()).await.unwrap();
    assert_eq!(value(&*secrets, "default", "KEY").await.map(|it| it.len()), Some(64 * 1024));
}
