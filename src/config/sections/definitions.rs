use std::path::PathBuf;

use crate::config::section::section;

section! {
    /// The files that define providers, action types and HTTP actions.
    Definitions "definitions" {
        /// The folder of definitions; without it, `definitions` in the working folder where it is there. Where there is a store, its files are applied to the catalog, when a worker starts and when they change.
        path: Option<PathBuf> = "",
    }
}
