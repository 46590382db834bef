//! The walls between the parts, and what comes in from outside.

use std::{collections::BTreeMap, fs};

use serde::Deserialize;
use spdx::{Expression, Licensee, ParseMode};

use super::{
    graph::{Graph, Manifest, manifests},
    path,
    policy::{Ban, Policy},
};

const ALL: &str = "normal,build,dev";
const SHIPPED: &str = "normal,build";

/// Which parts a part may name: proto, broker, store, worker and producer, the binary, in this direction;
/// then what is not shipped.
const WALLS: [(&str, &[&str]); 9] = [
    ("actionfleet-proto", &[]),
    ("actionfleet-broker", &["proto"]),
    ("actionfleet-store", &["proto"]),
    ("actionfleet-worker", &["proto", "broker", "store"]),
    ("actionfleet-producer", &["proto", "broker", "store"]),
    ("actionfleet", &["proto", "broker", "store", "worker", "producer"]),
    ("actionfleet-local", &[]),
    ("actionfleet-demo", &["proto", "broker", "store", "producer", "local"]),
    ("actionfleet-bench", &["local"]),
];

#[test]
fn parts_depend_in_one_direction() {
    let walls = BTreeMap::from(WALLS);
    for Manifest { name: part, dependencies } in manifests() {
        let may = walls.get(&*part);
        let may = may.unwrap_or_else(|| panic!("{part} is new: say here what it may depend on"));
        for dependency in dependencies {
            let Some(name) = dependency.name.strip_prefix("actionfleet-") else { continue };
            // a private RabbitMQ is there for the tests of all
            let fits = may.contains(&name) || dependency.is_dev() && name == "local";
            assert!(fits, "{part} must not depend on {name}");
        }
    }
}

#[test]
fn the_contract_does_no_io() {
    let graph = Graph::over(SHIPPED);
    let dependencies = graph.dependencies("actionfleet-proto");
    for io in ["tokio", "futures", "lapin", "reqwest", "hyper", "axum"] {
        assert!(!dependencies.contains(io), "actionfleet-proto depends on {io}");
    }
}

#[test]
fn only_the_broker_ships_the_client_of_rabbitmq() {
    for Manifest { name: part, dependencies } in manifests() {
        let ships = dependencies.iter().any(|it| it.name == "lapin" && !it.is_dev());
        // the yardstick of the benchmark is the bare client
        let may = ["actionfleet-broker", "actionfleet-bench"].contains(&&*part);
        assert!(may || !ships, "{part} must not depend on lapin: the broker's port is for all");
    }
}

#[test]
fn banned_crates_are_named_by_their_wrappers_alone() {
    let graph = Graph::over(ALL);
    for Ban { name, wrappers, reason } in Policy::read().bans.deny {
        for dependant in graph.dependants(&name) {
            let allowed = wrappers.iter().any(|wrapper| wrapper == dependant);
            assert!(allowed, "{dependant} must not depend on {name}: {reason}");
        }
    }
}

#[test]
fn every_licence_is_allowed() {
    let allowed = Policy::read().licenses.allow;
    let allowed: Vec<Licensee> =
        allowed.iter().map(|licence| Licensee::parse(licence).unwrap()).collect();
    for package in Graph::over(ALL).packages {
        let licence = Expression::parse_mode(&package.licence, ParseMode::LAX);
        let licence = licence.unwrap_or_else(|error| panic!("{package:?}: {error}"));
        let fits = licence.evaluate(|term| allowed.iter().any(|licence| licence.satisfies(term)));
        assert!(fits, "no licence of {package:?} is among those that deny.toml allows");
    }
}

#[test]
fn every_crate_comes_from_the_registry() {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<Locked>,
    }
    #[derive(Deserialize)]
    struct Locked {
        name: String,
        /// Absent for a package of the workspace.
        source: Option<String>,
    }

    let lock: Lock = toml::from_str(&fs::read_to_string(path("Cargo.lock")).unwrap()).unwrap();
    let registries = Policy::read().sources.allow_registry;
    let allowed: Vec<String> = registries.iter().map(|url| format!("registry+{url}")).collect();
    for Locked { name, source } in lock.package {
        let fits = source.as_ref().is_none_or(|source| allowed.contains(source));
        assert!(fits, "{name} comes from {source:?}");
    }
}

/// With the feature `arbitrary_precision`, numbers no longer read through `#[serde(flatten)]` and
/// `#[serde(untagged)]`. One crate that asks for it is enough.
#[test]
fn json_numbers_read_through_flattened_types() {
    let packages = Graph::over(ALL).packages;
    let mut json = packages.iter().filter(|package| package.name == "serde_json").peekable();
    assert!(json.peek().is_some());
    for package in json {
        let features: Vec<&str> = package.features.split(',').collect();
        let on = features.contains(&"arbitrary_precision");
        assert!(!on, "arbitrary_precision is on; `cargo tree -e features -i serde_json` says why");
    }
}
