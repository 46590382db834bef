use super::{account::Account, binaries::Binaries, folder::Folder};
use crate::watched::Watched;

const WATCHDOG: &str = include_str!("watchdog.sh");

/// Starts a server under its watchdog.
pub(super) fn spawn(
    binaries: &Binaries,
    account: Account,
    folder: &Folder,
    port: u16,
) -> anyhow::Result<Watched> {
    let mut command = Watched::command(WATCHDOG);
    command
        .args(account.prefix())
        .arg(binaries.program("postgres"))
        .arg("-D")
        .arg(folder.data())
        .arg(format!("--port={port}"))
        .env("HOME", folder.path())
        .env("LC_ALL", "C");
    Watched::spawn(command, folder.path(), Folder::LOG)
}
