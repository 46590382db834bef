//! A folder that holds all that a fleet on one machine keeps.

use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// The queue, the store, and the keys of its secrets.
#[derive(Debug, Clone)]
pub(crate) struct DataFolder(pub(crate) PathBuf);

impl DataFolder {
    /// What the folder decides.
    pub(crate) const KEYS: [&str; 4] = ["broker.url", "store.url", "store.keys", "store.keys_file"];

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn queue(&self) -> PathBuf {
        self.0.join("queue.db")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.0.join("store.db")
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.0.join("secret-keys")
    }

    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = vec![
            ("broker.url", format!("embedded:{}", self.0.display())),
            ("store.url", format!("sqlite:{}", self.store().display())),
        ];
        if self.keys().is_file() {
            settings.push(("store.keys", String::new()));
            settings.push(("store.keys_file", self.keys().display().to_string()));
        }
        settings
    }

    /// Makes the folder, and a key for its secrets, where they are not there.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        fs::create_dir_all(&self.0)?;
        let mut options = OpenOptions::new();
        // for this user alone
        let file = options.write(true).create_new(true).mode(0o600).open(self.keys());
        match file {
            Ok(mut file) => {
                let written = new_key().and_then(|key| {
                    file.write_all(format!("dev:{key}\n").as_bytes())?;
                    file.sync_all()
                });
                // half a key would be in the way of every later start
                written.inspect_err(|_| drop(fs::remove_file(self.keys())))
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// 32 bytes from the system, in Base64.
fn new_key() -> io::Result<String> {
    let mut bytes = [0; 32];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder(folder.path().join("a/b"));
        data.prepare().unwrap();
        let first = fs::read_to_string(data.keys()).unwrap();
        let mode = fs::metadata(data.keys()).unwrap().permissions().mode();
        data.prepare().unwrap();
        assert_eq!(fs::read_to_string(data.keys()).unwrap(), first);
        assert_eq!(mode & 0o777, 0o600);
        assert!(actionfleet_store::KeyRing::read(&data.keys()).is_ok());
    }
}
