//! `deny.toml`, as far as the tests here check it.

use std::fs;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub struct Policy {
    pub licenses: Licenses,
    pub bans: Bans,
    pub sources: Sources,
}

#[derive(Debug, Deserialize)]
pub struct Licenses {
    pub allow: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub struct Bans {
    pub deny: Vec<Ban>,
}

#[derive(Debug, Deserialize)]
pub struct Ban {
    #[serde(rename = "crate")]
    pub name: String,
    /// Who may name it all the same.
    #[serde(default)]
    pub wrappers: Vec<String>,
    pub reason: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sources {
    pub allow_registry: Vec<String>,
}

impl Policy {
    pub fn read() -> Self {
        toml::from_str(&fs::read_to_string(super::path("deny.toml")).unwrap()).unwrap()
    }
}
