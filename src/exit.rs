//! Exit codes, in one place. From 64 up they are those of BSD's `sysexits.h`.

use std::{fmt, process::ExitCode};

macro_rules! exits {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal,)+) => {
        /// How a command ends.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Exit {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Exit {
            pub(crate) const fn code(self) -> u8 {
                match self { $(Self::$name => $code,)+ }
            }
        }

        const TABLE: &[(u8, &str)] = &[$(($code, concat!($($doc),+))),+];
    };
}

exits! {
    /// all was done
    Done = 0,
    /// a job failed, a line was refused, a worker left jobs behind, or something was not found
    Failed = 1,
    /// the command line cannot be used
    Usage = 2,
    /// the input cannot be used
    Data = 65,
    /// a file that was named cannot be read
    NoInput = 66,
    /// the broker is away, or an address cannot be listened on
    Unavailable = 69,
    /// a bug
    Software = 70,
    /// standard output cannot be written
    Io = 74,
    /// no result in time; the same command may succeed later
    Temporary = 75,
    /// the broker refuses the credentials or the virtual host
    Denied = 77,
    /// the configuration cannot be used, or the topology differs from it
    Config = 78,
    /// Ctrl-C
    Interrupted = 130,
}

/// For the end of `--help`.
pub(crate) fn table() -> String {
    let rows = TABLE.iter().map(|(code, about)| format!("  {code:>3}  {}", about.trim()));
    format!("Exit codes:\n{}", rows.collect::<Vec<_>>().join("\n"))
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a command ended early. Whoever meets an error says there what the process ends with.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// `None` where there is nobody to tell: the reader of our output has gone.
    pub(crate) error: Option<anyhow::Error>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self { exit, error: Some(error.into()) }
    }

    pub(crate) fn message(exit: Exit, message: impl fmt::Display) -> Self {
        Self { exit, error: Some(anyhow::anyhow!("{message}")) }
    }

    /// Ends quietly: `actionfleet dead list | head` is no failure.
    pub(crate) const fn nobody_reads() -> Self {
        Self { exit: Exit::Done, error: None }
    }
}

pub(crate) trait OrExit<T> {
    fn or_exit(self, exit: Exit) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, exit: Exit) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(exit, error))
    }
}
