//! Keeps calls whose address a user can influence away from the network inside (SSRF).
//!
//! Names are vetted where they resolve, so that the address that was checked is the address that
//! is connected to; addresses written into a URL never reach a resolver and are vetted before the
//! call. Redirects are not followed and proxies not used.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// The host is, or resolves to, an address that must not be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the address of {host} is blocked; if it is a backend of your own, add its network to http.allow_networks"
)]
pub struct BlockedAddress {
    pub host: String,
}

/// Which addresses may be called: the global ones, and the networks that the operator opened.
#[derive(Debug)]
pub(super) struct Guard {
    open: Vec<IpNet>,
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(head: [u16; 3], prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(head[0], head[1], head[2], 0, 0, 0, 0, 0), prefix)
}

/// What the IANA IPv4 Special-Purpose Address Registry (RFC 6890) does not call globally
/// reachable, multicast, and what clouds hide in global ranges.
const CLOSED_V4: [Ipv4Net; 16] = [
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    // Azure's platform services
    v4(168, 63, 129, 16, 32),
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
];

/// The only part of IPv6 from which global unicast addresses are given out (RFC 4291) …
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0], 3);
/// … without protocol assignments (among them Teredo) and documentation.
const CLOSED_V6: [Ipv6Net; 3] =
    [v6([0x2001, 0, 0], 23), v6([0x2001, 0xdb8, 0], 32), v6([0x3fff, 0, 0], 20)];

/// Translated to the IPv4 address in the last 32 bits (RFC 6052).
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0], 96);
/// Tunnelled to the IPv4 address in bits 16 to 48 (RFC 3056).
const SIX_TO_FOUR: Ipv6Net = v6([0x2002, 0, 0], 16);

impl Guard {
    pub(super) fn new(open: &[IpNet]) -> Self {
        Self { open: open.to_vec() }
    }

    /// Whether the address, or the one it leads to, may be called.
    pub(super) fn allows(&self, address: IpAddr) -> bool {
        let target = embedded(address).map_or(address, IpAddr::V4);
        let opened = |ip: IpAddr| self.open.iter().any(|network| network.contains(&ip));
        opened(address) || opened(target) || is_global(target)
    }

    /// Vets a host that is written as an address; names are vetted where they resolve.
    pub(super) fn check_literal(&self, url: &Url) -> Result<(), BlockedAddress> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        if self.allows(address) {
            return Ok(());
        }
        Err(BlockedAddress { host: address.to_string() })
    }
}

/// The IPv4 address that an IPv6 address stands for.
fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(address) = address else { return None };
    // the 32 bits that start at a bit from the right
    let part = |shift: u32| u32::try_from(address.to_bits() >> shift & 0xffff_ffff).ok();
    if NAT64.contains(&address) {
        return part(0).map(Ipv4Addr::from_bits);
    }
    if SIX_TO_FOUR.contains(&address) {
        return part(80).map(Ipv4Addr::from_bits);
    }
    address.to_ipv4_mapped()
}

fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !CLOSED_V4.iter().any(|network| network.contains(&address)),
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address)
                && !CLOSED_V6.iter().any(|network| network.contains(&address))
        }
    }
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
