use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The variable that names another RabbitMQ: the folder with its `rabbitmq-server` script.
const FOLDER_VARIABLE: &str = "ACTIONFLEET_RABBITMQ_SBIN";

/// Where packages put the scripts themselves. What they put on the path may be a wrapper that
/// insists on the system's own user, folder and log.
const USUAL_FOLDERS: [&str; 4] =
    ["/usr/lib/rabbitmq/bin", "/opt/rabbitmq/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"];

/// The programs of one RabbitMQ installation.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    pub(super) server: PathBuf,
    pub(super) ctl: PathBuf,
    pub(super) epmd: PathBuf,
    /// The applications that come with the server, one folder each.
    pub(super) plugins: PathBuf,
    /// The applications that come with Erlang, one folder each.
    pub(super) erlang_lib: PathBuf,
}

impl Binaries {
    pub(super) fn find() -> anyhow::Result<Self> {
        let scripts = scripts_folder()?;
        let erl = on_path("erl").context(
            "Erlang's `erl` is not on the path: install it with `apt-get install erlang-base`",
        )?;
        let erlang_bin = folder_of(&erl)?;
        let epmd = erlang_bin.join("epmd");
        Ok(Self {
            server: scripts.join("rabbitmq-server"),
            ctl: scripts.join("rabbitmqctl"),
            epmd: if epmd.is_file() {
                epmd
            } else {
                on_path("epmd").context("Erlang's port mapper `epmd` is not installed")?
            },
            plugins: folder_of(&scripts.join("rabbitmq-env"))?.with_file_name("plugins"),
            erlang_lib: erlang_bin.with_file_name("lib"),
        })
    }
}

fn scripts_folder() -> anyhow::Result<PathBuf> {
    if let Some(folder) = env::var_os(FOLDER_VARIABLE).map(PathBuf::from) {
        if has_scripts(&folder) {
            return Ok(folder);
        }
        bail!(
            "{FOLDER_VARIABLE} is {}, which has no rabbitmq-server, rabbitmqctl and rabbitmq-env",
            folder.display()
        );
    }
    USUAL_FOLDERS.iter().map(PathBuf::from).find(|folder| has_scripts(folder)).with_context(|| {
        format!(
            "RabbitMQ is not installed: `apt-get install rabbitmq-server` installs it; \
                 for one elsewhere set {FOLDER_VARIABLE} to the folder of its rabbitmq-server"
        )
    })
}

fn has_scripts(folder: &Path) -> bool {
    ["rabbitmq-server", "rabbitmqctl", "rabbitmq-env"]
        .iter()
        .all(|script| folder.join(script).is_file())
}

fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// The folder in which a file really lies, symbolic links followed.
fn folder_of(file: &Path) -> anyhow::Result<PathBuf> {
    let real = file.canonicalize().with_context(|| format!("cannot resolve {}", file.display()))?;
    let folder = real.parent().context("a file lies in no folder")?;
    Ok(folder.to_owned())
}
