use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};

/// The variable that names another PostgreSQL: the folder with its `postgres` and `initdb`.
const FOLDER_VARIABLE: &str = "ACTIONFLEET_POSTGRES_BIN";

/// Where packages put a folder for each version, which has `bin` in it.
const USUAL_FOLDERS: [&str; 3] = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr"];

/// The programs of one PostgreSQL installation.
#[derive(Debug, Clone)]
pub(super) struct Binaries(PathBuf);

impl Binaries {
    pub(super) fn find() -> anyhow::Result<Self> {
        if let Some(folder) = env::var_os(FOLDER_VARIABLE).map(PathBuf::from) {
            if !is_complete(&folder) {
                let folder = folder.display();
                bail!("{FOLDER_VARIABLE} is {folder}, which has no postgres, initdb and psql");
            }
            return Ok(Self(folder));
        }
        let usual = USUAL_FOLDERS.iter().flat_map(|folder| versions(Path::new(folder)));
        let newest = usual.max().map(|(_, folder)| Self(folder));
        newest.with_context(|| {
            format!(
                "PostgreSQL is not installed: `apt-get install postgresql` installs it; for one \
                 elsewhere set {FOLDER_VARIABLE} to the folder of its `postgres`"
            )
        })
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// By number, since 9 comes before 15.
fn versions(folder: &Path) -> Vec<(u32, PathBuf)> {
    let mut found = Vec::new();
    if is_complete(&folder.join("bin")) {
        found.push((0, folder.join("bin")));
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let digits = name.to_string_lossy().trim_start_matches("postgresql@").to_owned();
        let bin = entry.path().join("bin");
        if let Ok(number) = digits.parse()
            && is_complete(&bin)
        {
            found.push((number, bin));
        }
    }
    found
}

fn is_complete(folder: &Path) -> bool {
    ["postgres", "initdb", "psql"].iter().all(|program| folder.join(program).is_file())
}
