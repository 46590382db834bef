use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, bail};
use tempfile::TempDir;

use super::{USER, account::Account, binaries::Binaries};
use crate::watched;

/// The private folder of one server: data, socket and log.
#[derive(Debug)]
pub(super) struct Folder(TempDir);

impl Folder {
    pub(super) const LOG: &str = "output.log";

    /// With an empty cluster in it, about a second's work.
    pub(super) fn create(binaries: &Binaries, account: Account) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("actionfleet-postgres-")
            .tempdir()
            .context("cannot create a temporary folder")?;
        account.give(folder.path())?;
        let folder = Self(folder);
        folder.make_cluster(binaries, account)?;
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(super) fn data(&self) -> PathBuf {
        self.file("data")
    }

    fn make_cluster(&self, binaries: &Binaries, account: Account) -> anyhow::Result<()> {
        let mut words = account.prefix();
        words.push(binaries.program("initdb").display().to_string());
        let (program, arguments) = words.split_first().context("no program")?;
        let output = Command::new(program)
            .args(arguments)
            .args([
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--username",
                USER,
            ])
            .arg("--pgdata")
            .arg(self.data())
            .env("LC_ALL", "C")
            .current_dir(self.path())
            .output()
            .with_context(|| format!("cannot run `{program}`"))?;
        if !output.status.success() {
            bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        let settings = format!(
            "\nlisten_addresses = '127.0.0.1'\n\
             unix_socket_directories = '{}'\n\
             max_connections = 200\n\
             timezone = 'UTC'\n",
            self.path().display()
        );
        let file = self.data().join("postgresql.conf");
        let kept = fs::read_to_string(&file).context("initdb made no postgresql.conf")?;
        fs::write(&file, kept + &settings).context("cannot write postgresql.conf")
    }

    /// The last lines of what the server wrote, for an error message.
    pub(super) fn log_tail(&self) -> String {
        watched::tail(&self.file(Self::LOG))
    }
}
