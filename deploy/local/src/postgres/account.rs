use std::{
    fs,
    os::unix::fs::{MetadataExt as _, chown},
    path::Path,
};

use anyhow::Context;

/// Who runs the server: it refuses to run as root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Account {
    /// The one that this process has.
    Own,
    Other {
        user: u32,
        group: u32,
    },
}

impl Account {
    pub(super) fn choose() -> anyhow::Result<Self> {
        // who this process belongs to, without a system call of our own
        if fs::metadata("/proc/self").context("cannot read /proc/self")?.uid() != 0 {
            return Ok(Self::Own);
        }
        let users = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        let found = ["postgres", "nobody"].iter().find_map(|name| numbers(&users, name));
        let (user, group) = found
            .context("there is no user `postgres` or `nobody`, and PostgreSQL refuses root")?;
        Ok(Self::Other { user, group })
    }

    /// What goes before a command so that this account runs it.
    pub(super) fn prefix(self) -> Vec<String> {
        match self {
            Self::Own => Vec::new(),
            Self::Other { user, group } => vec![
                "setpriv".to_owned(),
                format!("--reuid={user}"),
                format!("--regid={group}"),
                "--clear-groups".to_owned(),
            ],
        }
    }

    pub(super) fn give(self, path: &Path) -> anyhow::Result<()> {
        let Self::Other { user, group } = self else { return Ok(()) };
        let context = || format!("cannot give {} away", path.display());
        chown(path, Some(user), Some(group)).with_context(context)
    }
}

/// `name:password:user:group:…`
fn numbers(users: &str, name: &str) -> Option<(u32, u32)> {
    let mut fields = users
        .lines()
        .map(|line| line.split(':'))
        .find(|fields| fields.clone().next() == Some(name))?;
    Some((fields.nth(2)?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_numbers_of_a_user() {
        let users = "root:x:0:0:root:/root:/bin/sh\npostgres:x:101:104::/var:/bin/sh\nbroken\n";
        assert_eq!(numbers(users, "postgres"), Some((101, 104)));
        assert_eq!(numbers(users, "nobody"), None);
        assert_eq!(numbers(users, "broken"), None);
    }
}
