//! The files of a folder, within bounds.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::document::Format;

/// In bytes, of one file.
const FILE_MAX: u64 = 1024 * 1024;
const FILES_MAX: usize = 10_000;
/// Of folders in folders.
const DEPTH_MAX: usize = 8;

/// What is there, to see whether it changed: time of change and size, by path.
pub(super) type Listing = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// The definition files in a folder and its subfolders, in order of their paths. Hidden files and
/// folders, links to folders and other extensions are left out: mounted configuration keeps its
/// versions in hidden folders and links to the files of one.
pub(super) fn list(folder: &Path) -> io::Result<Listing> {
    let mut listing = Listing::new();
    add(folder, 0, &mut listing)?;
    Ok(listing)
}

fn add(folder: &Path, depth: usize, listing: &mut Listing) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if path.file_name().and_then(OsStr::to_str).is_none_or(|name| name.starts_with('.')) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            if depth < DEPTH_MAX {
                add(&path, depth + 1, listing)?;
            }
            continue;
        }
        // of the file that a link leads to; a file may be gone by now
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if !metadata.is_file() || Format::of(&path).is_none() {
            continue;
        }
        if listing.len() >= FILES_MAX {
            let problem = format!("holds more than {FILES_MAX} definitions");
            return Err(io::Error::other(problem));
        }
        listing.insert(path, (metadata.modified().ok(), metadata.len()));
    }
    Ok(())
}

/// The text of a file, or why it cannot be read.
pub(super) fn read(path: &Path) -> Result<String, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    let size = fs::metadata(path).map_err(unreadable)?.len();
    if size > FILE_MAX {
        return Err(format!("has {size} bytes; a definition has at most {FILE_MAX}"));
    }
    fs::read_to_string(path).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_alone() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["sub", ".hidden", "sub/deep"] {
            fs::create_dir(at(name)).unwrap();
        }
        for name in [
            "b.yaml",
            "a.yml",
            "c.json",
            "d.toml",
            "README.md",
            ".e.yaml",
            "f",
            "sub/g.yaml",
            "sub/deep/h.yaml",
            ".hidden/i.yaml",
        ] {
            fs::write(at(name), "x").unwrap();
        }
        std::os::unix::fs::symlink(at(".hidden/i.yaml"), at("linked.yaml")).unwrap();
        std::os::unix::fs::symlink(at(".hidden"), at("linked")).unwrap();
        std::os::unix::fs::symlink(at("nowhere"), at("dangling.yaml")).unwrap();
        let found: Vec<_> = list(folder.path()).unwrap().into_keys().collect();
        let expected =
            ["a.yml", "b.yaml", "c.json", "d.toml", "linked.yaml", "sub/deep/h.yaml", "sub/g.yaml"];
        assert_eq!(found, expected.map(at));
        assert!(list(&at("nowhere")).is_err());
    }

    #[test]
    fn large_and_binary_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        fs::write(&path, vec![b'x'; 1024 * 1024 + 1]).unwrap();
        assert!(read(&path).unwrap_err().starts_with("has 1048577 bytes"));
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(read(&path).unwrap_err().starts_with("cannot be read"));
    }
}
