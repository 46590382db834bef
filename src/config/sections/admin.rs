use std::net::SocketAddr;

use crate::config::{section::section, setting::Setting};

section! {
    /// The server of `/metrics`, `/livez` and `/readyz`.
    Admin "admin" {
        /// Where a worker answers; `off` for nowhere. Not set, and taken by another worker: any free port.
        listen: Listen = "127.0.0.1:9464",
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listen(pub(crate) Option<SocketAddr>);

impl Setting for Listen {
    const KIND: &'static str = "address:port or `off`";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self(None)),
            _ => text.parse().map(|address| Self(Some(address))).map_err(|_| {
                format!("{text:?} is not an address such as \"127.0.0.1:9464\", nor \"off\"")
            }),
        }
    }
}
