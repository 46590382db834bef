//! What the workspace depends on, as Cargo resolves it.

use std::{collections::BTreeSet, process::Command};

use serde::Deserialize;

/// The packages that are built, for all platforms.
///
/// From `cargo tree`: the graph of `cargo metadata` has optional dependencies that no enabled
/// feature asks for.
#[derive(Debug, Default)]
pub struct Graph {
    pub packages: BTreeSet<Package>,
    /// Names: who depends, on whom.
    pub edges: BTreeSet<(String, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    pub name: String,
    pub version: String,
    pub licence: String,
    pub features: String,
}

impl Graph {
    /// Over edges of the kinds `normal`, `build` and `dev`, separated by commas.
    pub fn over(kinds: &str) -> Self {
        let tree = cargo(&[
            "tree",
            "--workspace",
            "--locked",
            "--target=all",
            "--edges",
            kinds,
            "--prefix=depth",
            "--format= {p}|{l}|{f}|",
        ]);
        let mut graph = Self::default();
        // from the workspace's package down to the one of the line before
        let mut way: Vec<String> = Vec::new();
        for line in tree.lines().filter(|line| !line.is_empty()) {
            let (depth, package) = line.split_once(' ').expect("a depth and a package");
            let package = Package::parse(package);
            way.truncate(depth.parse().expect("a depth"));
            if let Some(dependant) = way.last() {
                graph.edges.insert((dependant.clone(), package.name.clone()));
            }
            way.push(package.name.clone());
            graph.packages.insert(package);
        }
        graph
    }

    /// Who depends on a package directly.
    pub fn dependants(&self, of: &str) -> Vec<&str> {
        self.edges.iter().filter(|(_, to)| to == of).map(|(from, _)| from.as_str()).collect()
    }

    /// All that a package depends on, however far away.
    pub fn dependencies<'a>(&'a self, of: &'a str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut next = vec![of];
        while let Some(package) = next.pop() {
            let direct = self.edges.iter().filter(|(from, _)| from == package);
            next.extend(direct.map(|(_, to)| to.as_str()).filter(|to| found.insert(*to)));
        }
        found
    }
}

impl Package {
    /// `serde v1.0.229|MIT OR Apache-2.0|default,derive|`
    fn parse(line: &str) -> Self {
        let mut columns = line.split('|');
        let mut column = || columns.next().expect("a column for each field").to_owned();
        let (package, licence, features) = (column(), column(), column());
        let mut words = package.split(' ').map(str::to_owned);
        let mut word = || words.next().expect("a name and a version");
        Self { name: word(), version: word(), licence, features }
    }
}

/// A package of the workspace, with what it names itself.
#[derive(Debug, Deserialize)]
pub struct Manifest {
    pub name: String,
    pub dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
pub struct Dependency {
    pub name: String,
    kind: Option<String>,
}

impl Dependency {
    pub fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

pub fn manifests() -> Vec<Manifest> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Manifest>,
    }

    let metadata = cargo(&["metadata", "--format-version=1", "--no-deps", "--locked"]);
    serde_json::from_str::<Metadata>(&metadata).unwrap().packages
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(super::root())
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {}: {errors}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap()
}
