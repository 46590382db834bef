use crate::config::{section::section, setting::Networks};

section! {
    /// Calls to addresses that users can influence.
    Http "http" {
        /// Private networks that may be called all the same, such as `10.1.0.0/16`.
        allow_networks: Networks = "",
    }
}
