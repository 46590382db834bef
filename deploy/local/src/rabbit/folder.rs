use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::Context;
use tempfile::TempDir;

use super::Certificate;
use super::binaries::Binaries;
use super::ports::Ports;
use crate::watched;

/// The private folder of one node: configuration, cookie, data and logs.
#[derive(Debug)]
pub(super) struct Folder(TempDir);

impl Folder {
    pub(super) const OUTPUT: &str = "output.log";

    pub(super) fn create(
        binaries: &Binaries,
        ports: Ports,
        certificate: Option<&Certificate>,
    ) -> anyhow::Result<Self> {
        let folder = Self(
            tempfile::Builder::new()
                .prefix("actionfleet-rabbitmq-")
                .tempdir()
                .context("cannot create a temporary folder")?,
        );
        folder
            .fill(binaries, ports)
            .and_then(|()| certificate.map_or(Ok(()), |it| folder.speak_tls(ports, it)))
            .with_context(|| format!("cannot write to {}", folder.path().display()))?;
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn fill(&self, binaries: &Binaries, ports: Ports) -> io::Result<()> {
        let Ports { amqp, .. } = ports;
        fs::write(
            self.file("rabbitmq.conf"),
            format!(
                "listeners.tcp.local = 127.0.0.1:{amqp}\n\
                 log.file.level = info\n\
                 log.connection.level = warning\n\
                 # a node of a test or a demo needs no half gigabyte of log in memory\n\
                 raft.wal_max_size_bytes = 67108864\n\
                 # 4.x takes 16 MiB, as the fleet does: what is larger must reach it to be refused\n\
                 max_message_size = 67108864\n"
            ),
        )?;
        fs::write(
            self.file("rabbitmq-env.conf"),
            format!("RABBITMQ_HOME={}\n", self.path().display()),
        )?;
        fs::write(self.file("enabled_plugins"), "[].\n")?;
        self.link_applications(&binaries.plugins)?;
        let cookie = self.file(".erlang.cookie");
        fs::write(&cookie, random_word()?)?;
        fs::set_permissions(&cookie, fs::Permissions::from_mode(0o400))
    }

    fn speak_tls(&self, ports: Ports, certificate: &Certificate) -> io::Result<()> {
        let (chain, key) = (self.file("certificate.pem"), self.file("key.pem"));
        fs::write(&chain, &certificate.chain)?;
        fs::write(&key, &certificate.key)?;
        let mut configuration = OpenOptions::new().append(true).open(self.file("rabbitmq.conf"))?;
        writeln!(
            configuration,
            "listeners.ssl.local = 127.0.0.1:{}\n\
             ssl_options.certfile = {}\n\
             ssl_options.keyfile = {}\n\
             ssl_options.verify = verify_none",
            ports.tls,
            chain.display(),
            key.display()
        )
    }

    /// Offers the node its applications without the optional plugins. Erlang looks for each of
    /// about a thousand modules in every folder it was given: half of them save half of the boot.
    fn link_applications(&self, plugins: &Path) -> io::Result<()> {
        let linked = self.file("plugins");
        fs::create_dir(&linked)?;
        for entry in fs::read_dir(plugins)? {
            let entry = entry?;
            let name = entry.file_name();
            let text = name.to_string_lossy();
            if !text.starts_with("rabbitmq_") || text.starts_with("rabbitmq_prelaunch") {
                symlink(entry.path(), linked.join(&name))?;
            }
        }
        Ok(())
    }

    /// The last lines of what the node wrote, for an error message.
    pub(super) fn log_tail(&self) -> String {
        ["rabbit.log", Self::OUTPUT].map(|name| watched::tail(&self.file(name))).join("\n")
    }
}

/// Sixteen random bytes in hexadecimal: the cookie lets a program command the node.
fn random_word() -> io::Result<String> {
    use std::fmt::Write as _;
    use std::io::Read as _;

    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |mut word, byte| {
        let _ = write!(word, "{byte:02x}");
        word
    }))
}
