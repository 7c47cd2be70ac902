//! Which addresses are anybody's to ask, and a name lookup that gives no others.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower_service::Service;

/// What is said of a name that is not at a public address.
pub(super) const NOT_PUBLIC: &str = "not at a public address";

/// A name lookup that fails where it finds an address that is not public.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    lookup: GaiResolver,
    allowed: bool,
}

impl Guard {
    /// One for a host, of which `allowed` says that it may be anywhere.
    pub(super) fn new(allowed: bool) -> Self {
        Self { lookup: GaiResolver::new(), allowed }
    }
}

impl Service<Name> for Guard {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.lookup.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (looking, allowed) = (self.lookup.call(name), self.allowed);
        Box::pin(async move {
            let found: Vec<SocketAddr> = looking.await?.collect();
            // One address that is not public makes the name a way in.
            if !allowed && !found.iter().all(|address| is_public(address.ip())) {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, NOT_PUBLIC));
            }
            Ok(found.into_iter())
        })
    }
}

/// Whether a host that is an address is a public one; `None` where it is a name.
pub(super) fn is_public_literal(host: &str) -> Option<bool> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok().map(is_public)
}

/// Whether an address is on the public Internet (IANA's special-purpose registries).
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let number = u32::from(address);
    !SPECIAL_V4.iter().any(|(base, bits)| {
        let base = u32::from(Ipv4Addr::from(*base));
        number >> (32 - bits) == base >> (32 - bits)
    })
}

/// Only global unicast is public, and of it not what leads to an IPv4 address or to nowhere.
fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(v4) = address.to_ipv4_mapped() {
        return is_public_v4(v4);
    }
    let segments = address.segments();
    let embedded = |at: usize| {
        let halves = [segments[at], segments[at + 1]];
        let [[a, b], [c, d]] = halves.map(u16::to_be_bytes);
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // NAT64's well-known prefix, and 6to4.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => embedded(6),
        [0x2002, ..] => embedded(1),
        // Protocol assignments with Teredo, documentation.
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [0x3fff, second, ..] => second > 0xfff,
        [first, ..] => first >> 13 == 1,
    }
}

/// Networks that are not public, with the bits of their prefix.
const SPECIAL_V4: [([u8; 4], u32); 15] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];
