use secrecy::{ExposeSecret as _, SecretString};

use super::{KeyRing, envelope};
use crate::error::StoreError;

fn ring(text: &str) -> Result<KeyRing, StoreError> {
    KeyRing::parse(&SecretString::from(text))
}

fn hex(digit: char) -> String {
    digit.to_string().repeat(64)
}

#[test]
fn the_first_key_is_the_current_one() {
    let base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let keys = ring(&format!("\n 2027:{} ,old:{base64}\n", hex('a'))).unwrap();
    assert_eq!(keys.current(), "2027");
    assert_eq!(keys.key("2027"), Some(&[0xaa; 32]));
    assert_eq!(keys.key("old").map(|key| key[31]), Some(31));
    let shown = format!("{keys:?}");
    assert!(shown.contains("old") && !shown.contains("aaaa") && !shown.contains("170"), "{shown}");
}

#[test]
fn keys_that_do_not_read_are_named_by_place_alone() {
    let key = hex('b');
    for (text, problem) in [
        (String::new(), "are empty"),
        (key.clone(), "key 1 of the secret keys has no id"),
        (format!("a:{key}\n:{key}"), "key 2 of the secret keys has an id that is not"),
        (format!("a:{key},a:{key}"), "key 2 of the secret keys has an id that another"),
        (
            format!("a:{}", key.trim_start_matches('b').to_owned() + "bb"),
            "key 1 of the secret keys is not 32 bytes",
        ),
        (format!("a:{}", "+b".repeat(32)), "key 1 of the secret keys is not 32 bytes"),
        (format!("a:{}", "ä".repeat(32)), "key 1 of the secret keys is not 32 bytes"),
    ] {
        let error = ring(&text).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
        assert!(!error.contains("bbb"), "{error}");
    }
}

#[test]
fn an_envelope_opens_where_it_belongs_alone() {
    let keys = ring(&format!("k:{}", hex('1'))).unwrap();
    let value = SecretString::from("hunter2 ü");
    let sealed = envelope::seal(&keys, "ab", "C", &value).unwrap();
    assert_ne!(sealed, envelope::seal(&keys, "ab", "C", &value).unwrap(), "nonces differ");
    assert!(!sealed.windows(7).any(|part| part == b"hunter2"));
    let opened = envelope::open(&keys, "ab", "C", &sealed).unwrap();
    assert_eq!(opened.expose_secret(), "hunter2 ü");

    for (tenant, name) in [("a", "bC"), ("abC", ""), ("ab", "D")] {
        let error = envelope::open(&keys, tenant, name, &sealed).unwrap_err();
        assert!(matches!(error, StoreError::Sealed { .. }), "{error}");
    }
    for place in 0..sealed.len() {
        let mut damaged = sealed.clone();
        damaged[place] ^= 1;
        assert!(envelope::open(&keys, "ab", "C", &damaged).is_err(), "byte {place}");
        assert!(envelope::open(&keys, "ab", "C", &sealed[..place]).is_err(), "{place} bytes");
    }
    let other = ring(&format!("other:{}", hex('1'))).unwrap();
    let error = envelope::open(&other, "ab", "C", &sealed).unwrap_err().to_string();
    assert!(error.contains("encrypted with key k, which is not configured"), "{error}");
}
