//! The demo's data is complete, attributed, and understood by the stand-in.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Passage {
    id: String,
    text: String,
    source: String,
    author: String,
    year: u16,
}

fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../demo")
}

#[test]
fn passages_are_complete_and_attributed() {
    let lines = fs::read_to_string(demo().join("passages/passages.jsonl")).unwrap();
    let sources = fs::read_to_string(demo().join("SOURCES.md")).unwrap();
    let passages: Vec<Passage> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(passages.len() >= 100, "{}", passages.len());
    let mut ids = HashSet::new();
    for Passage { id, text, source, author, year } in &passages {
        assert!(ids.insert(id), "{id} comes twice");
        let words = text.split_whitespace().count();
        assert!((40..=120).contains(&words), "{id} has {words} words");
        let row = format!("| {source} | {author} | {year} |");
        assert!(sources.contains(&row), "SOURCES.md does not name {row}");
    }
}

#[test]
fn pictures_can_be_decoded() {
    let mut kinds = Vec::new();
    for entry in fs::read_dir(demo().join("pictures")).unwrap() {
        let path = entry.unwrap().path();
        let picture = image::open(&path).unwrap();
        assert_eq!((picture.width(), picture.height()), (128, 96), "{}", path.display());
        kinds.push(path.extension().unwrap().to_owned());
    }
    kinds.sort();
    assert_eq!(kinds.iter().filter(|kind| *kind == "png").count(), 10);
    assert_eq!(kinds.iter().filter(|kind| *kind == "jpg").count(), 2);
}
