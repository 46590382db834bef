use std::{num::NonZeroU16, path::PathBuf};

use actionfleet_proto::Span;

use crate::config::{
    section::section,
    setting::Setting,
    url::{SecretKeys, StoreUrl},
};

section! {
    /// What outlives a process: definitions, secrets, and the ledger of jobs.
    Store "store" {
        /// Where it is: `postgres://user:password@host:5432/database`, or `sqlite:PATH`, a file of this machine. Without it there is none: definitions are files, secrets are environment variables, and a job can be executed again after a crash.
        url: Option<StoreUrl> = "",
        /// What the store says of jobs: `required` executes none while it is away; `best_effort` executes them all the same, at least once instead of effectively once; `off` keeps no ledger.
        ledger: LedgerChoice = "required",
        /// How long the ledger remembers a job, by whole days; longer than the longest life of a job. At least 1 day.
        retention: Span = "30days",
        /// Connections to PostgreSQL at most, besides three that the store keeps for itself.
        pool_size: NonZeroU16 = "8",
        /// How long one statement, one connect, and the wait for a free connection may take.
        timeout: Span = "10s",
        /// How often changes by other processes are looked for where nobody tells of them.
        poll: Span = "1s",
        /// What secrets are encrypted with: `ID:KEY`, the key as 64 hexadecimal digits or Base64, as made by `openssl rand -hex 32`. The first is for new values, further ones, with commas between, are for old values.
        keys: Option<SecretKeys> = "",
        /// A file with these keys, one a line, in place of `store.keys`.
        keys_file: Option<PathBuf> = "",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LedgerChoice {
    Required,
    BestEffort,
    Off,
}

impl Setting for LedgerChoice {
    const KIND: &'static str = "`required`, `best_effort` or `off`";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "required" => Ok(Self::Required),
            "best_effort" => Ok(Self::BestEffort),
            "off" => Ok(Self::Off),
            _ => Err(format!("{text:?} is not \"required\", \"best_effort\" or \"off\"")),
        }
    }
}
