//! How long files may be, and what must not stand in them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{path, root};

const LONGEST_SOURCE: usize = 300;
/// A client is to be read at a glance and copied.
const LONGEST_CLIENT: usize = 40;

/// All files of the project, without what is built and what hidden folders hold.
fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy();
            if name.starts_with('.') || ["target", "node_modules"].contains(&&*name) {
                continue;
            }
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

fn with_extension(extension: &'static str) -> impl Iterator<Item = PathBuf> {
    files().into_iter().filter(move |file| file.extension().is_some_and(|it| it == extension))
}

fn lines(file: &Path) -> usize {
    fs::read_to_string(file).unwrap().lines().count()
}

#[test]
fn sources_are_short() {
    let long: Vec<_> = with_extension("rs").filter(|file| lines(file) > LONGEST_SOURCE).collect();
    assert!(long.is_empty(), "over {LONGEST_SOURCE} lines, split at a seam: {long:?}");
}

#[test]
fn clients_are_short() {
    for client in ["python/client.py", "php/client.php", "node/client.js"] {
        let lines = lines(&path("deploy/clients").join(client));
        assert!(lines <= LONGEST_CLIENT, "{client} has {lines} lines");
    }
}

/// Nothing that holds on one machine only: paths of somebody's disk, and registry hosts, by which
/// a lock file would tie everybody to the same mirror.
#[test]
fn nothing_ties_the_project_to_a_machine() {
    // in parts, so that this file itself does not have them
    let words = [
        ["/wo", "rk/"],
        ["/ho", "me/"],
        ["/Us", "ers/"],
        ["registry.", "npmjs"],
        ["pypi", ".org"],
        ["static.", "crates.io"],
        ["index.", "crates.io"],
        ["deb.", "debian.org"],
    ]
    .map(|parts| parts.concat());
    for file in files() {
        // pictures are no text
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for word in &words {
            assert!(!text.contains(word), "{} has {word:?}", file.display());
        }
    }
}
