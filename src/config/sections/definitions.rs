use std::path::PathBuf;

use crate::config::section::section;

section! {
    /// The files that define providers, action types and HTTP actions.
    Definitions "definitions" {
        /// The folder of definitions; without it, `definitions` in the working folder where it is there.
        path: Option<PathBuf> = "",
    }
}
