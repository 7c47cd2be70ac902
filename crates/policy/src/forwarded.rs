//! Whose request it is, when it comes through proxies: `X-Forwarded-For`, as far as it is to be
//! believed.
//!
//! Anybody can write the header. Each proxy appends the address that it was asked from, so the
//! header is believed from its end, and only while whoever said so is a proxy that the operator
//! trusts.

use std::net::{IpAddr, SocketAddr};

/// A range of addresses, such as `10.0.0.0/8`; without a length it is one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressRange {
    start: IpAddr,
    /// How many bits an address shares with the start.
    length: u8,
}

/// The proxies whose word is taken for where a request comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<AddressRange>);

impl AddressRange {
    /// Reads a range; `None` for what is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (start, length) = match text.trim().split_once('/') {
            Some((start, length)) => (start, Some(length.parse().ok()?)),
            None => (text.trim(), None),
        };
        let start: IpAddr = start.parse().ok()?;
        let (_, width) = bits(start);
        let length = length.unwrap_or(width);
        (length <= width).then_some(Self { start, length })
    }

    /// Whether an address is in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let ((start, width), (address, its_width)) = (bits(self.start), bits(address));
        let beyond = u32::from(width - self.length);
        // A shift by the whole width leaves nothing to compare: the range is everything.
        width == its_width && (start ^ address).checked_shr(beyond).unwrap_or(0) == 0
    }
}

impl TrustedProxies {
    /// Trusts the proxies in these ranges.
    #[must_use]
    pub const fn new(ranges: Vec<AddressRange>) -> Self {
        Self(ranges)
    }

    /// Where a request comes from that `peer` sent, with the items of its `X-Forwarded-For` headers
    /// in their order: the last address that nobody untrusted has named. An item that is no address
    /// ends the search.
    #[must_use]
    pub fn client<'a>(
        &self,
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'a str>,
    ) -> IpAddr {
        let mut client = peer.to_canonical();
        for item in forwarded.rev().take(HOPS_MAX) {
            let named = address(item).filter(|_| self.trusts(client));
            let Some(named) = named else { break };
            client = named;
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|range| range.contains(address))
    }
}

/// An address, with or without a port.
fn address(item: &str) -> Option<IpAddr> {
    let item = item.trim();
    let socket = || item.parse::<SocketAddr>().ok().map(|socket| socket.ip());
    item.parse().ok().or_else(socket).map(|address: IpAddr| address.to_canonical())
}

/// The bits of an address, and how many there are.
fn bits(address: IpAddr) -> (u128, u8) {
    match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    }
}

/// Most proxies that a request is followed through.
const HOPS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn trusted(ranges: &[&str]) -> TrustedProxies {
        let range = |text: &&str| AddressRange::parse(text).expect("a range");
        TrustedProxies::new(ranges.iter().map(range).collect())
    }

    fn client(ranges: &[&str], peer: &str, forwarded: &str) -> String {
        let items = forwarded.split(',').filter(|item| !item.is_empty());
        trusted(ranges).client(peer.parse().expect("an address"), items).to_string()
    }

    #[test]
    fn the_header_is_believed_from_its_end_as_far_as_proxies_are_trusted() {
        let own = &["10.0.0.0/8", "fd00::/8", "192.0.2.7"][..];
        for (ranges, peer, forwarded, expected) in [
            (&[][..], "10.0.0.1", "203.0.113.9", "10.0.0.1"),
            (own, "10.0.0.1", "", "10.0.0.1"),
            (own, "10.0.0.1", "203.0.113.9", "203.0.113.9"),
            (own, "203.0.113.1", "203.0.113.9", "203.0.113.1"),
            // What a client wrote itself stands before what the proxy appended.
            (own, "10.0.0.1", "10.9.9.9, 203.0.113.9", "203.0.113.9"),
            (own, "10.0.0.1", "198.51.100.1,203.0.113.9 , 192.0.2.7", "203.0.113.9"),
            (own, "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
            (own, "10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"),
            (own, "10.0.0.1", "nonsense, 10.0.0.2", "10.0.0.2"),
            (own, "10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
            (own, "fd00::1", "[2001:db8::9]:4711", "2001:db8::9"),
            (own, "::ffff:10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
            (own, "11.0.0.1", "203.0.113.9", "11.0.0.1"),
            (&["0.0.0.0/0"], "1.2.3.4", "198.51.100.1, 203.0.113.9", "198.51.100.1"),
            (&["0.0.0.0/0"], "2001:db8::1", "198.51.100.1", "2001:db8::1"),
        ] {
            let found = client(ranges, peer, forwarded);
            assert_eq!(found, expected, "{peer} for `{forwarded}`, trusting {ranges:?}");
        }
    }

    #[test]
    fn a_request_is_followed_through_so_many_proxies_and_no_more() {
        let all = vec!["10.0.0.2"; 2 * HOPS_MAX].join(",");
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &format!("9.9.9.9,{all}")), "10.0.0.2");
    }

    #[test]
    fn what_is_no_range_is_none() {
        for text in ["", "10.0.0.0/33", "fd00::/129", "10.0.0.0/-1", "10.0.0/8", "proxy", "/8"] {
            assert_eq!(AddressRange::parse(text), None, "{text}");
        }
        let within = AddressRange::parse("10.1.2.3/8").expect("a range");
        assert!(within.contains("10.200.0.1".parse().expect("an address")));
    }

    proptest! {
        #[test]
        fn a_range_holds_what_shares_its_first_bits(
            start in any::<u32>(), address in any::<u32>(), length in 0u8..=32,
        ) {
            let as_address = |bits: u32| IpAddr::V4(bits.into());
            let range = AddressRange::parse(&format!("{}/{length}", as_address(start)));
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            let expected = start & mask == address & mask;
            prop_assert_eq!(range.expect("a range").contains(as_address(address)), expected);
        }

        #[test]
        fn whatever_a_header_says_nobody_is_believed_whom_no_trusted_proxy_names(
            items in prop::collection::vec("[0-9a-f.:, ]{0,12}", 0..6),
        ) {
            let peer: IpAddr = "203.0.113.1".parse().expect("an address");
            let found = trusted(&["10.0.0.0/8"]).client(peer, items.iter().map(|item| &**item));
            prop_assert_eq!(found, peer);
        }
    }
}
