use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// The ports of one node, all on 127.0.0.1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    pub(super) amqp: u16,
    /// Listened on where the node has a certificate.
    pub(super) tls: u16,
    pub(super) distribution: u16,
    pub(super) epmd: u16,
}

impl Ports {
    /// Ports that are free now. Another process can take one before the node does.
    pub(super) fn find_free() -> io::Result<Self> {
        // all are held until all are known, or the system hands one out twice
        let amqp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let tls = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let distribution = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let epmd = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        Ok(Self {
            amqp: amqp.local_addr()?.port(),
            tls: tls.local_addr()?.port(),
            distribution: distribution.local_addr()?.port(),
            epmd: epmd.local_addr()?.port(),
        })
    }
}
