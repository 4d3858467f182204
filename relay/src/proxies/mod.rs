//! Who the client is where proxies stand in between. Only what a trusted proxy says of its own peer is believed.

pub(crate) mod header;
mod trusted;

pub use trusted::TrustedProxies;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use warp::http::HeaderMap;

/// Where a connection came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The peer's address. A peer on a Unix domain socket has none and counts as this machine.
    pub(crate) address: IpAddr,
    /// Whether it came over a Unix domain socket, where only the relay's own proxy gets at.
    is_local: bool,
}

impl Origin {
    pub(crate) fn address(address: IpAddr) -> Self {
        Self { address: address.to_canonical(), is_local: false }
    }

    pub(crate) fn unix() -> Self {
        Self { address: Ipv4Addr::LOCALHOST.into(), is_local: true }
    }
}

/// Which peers are proxies of the operator's own, and what they say.
#[derive(Clone, Debug)]
pub(crate) struct Proxies {
    trusted: TrustedProxies,
    /// Without a list: every peer is the proxy.
    is_everybody: bool,
    sends_header: bool,
}

impl Proxies {
    /// `terminate_tls` and `send_header` are the settings `proxy_terminates_tls` and `proxy_protocol`.
    pub(crate) fn new(trusted: TrustedProxies, terminate_tls: bool, send_header: bool) -> Self {
        let is_everybody = terminate_tls && trusted.is_empty() && !send_header;
        Self { trusted, is_everybody, sends_header: send_header }
    }

    /// Whether the peer speaks for others.
    pub(crate) fn is_proxy(&self, origin: Origin) -> bool {
        self.is_everybody || self.is_trusted(origin)
    }

    /// Whether a connection from there begins with a header of the PROXY protocol.
    pub(crate) fn sends_header(&self, origin: Origin) -> bool {
        self.sends_header && self.is_trusted(origin)
    }

    /// The client of a request: the first, seen from the relay, that is no proxy. What stands before it in
    /// `X-Forwarded-For` was written by somebody who may write anything.
    pub(crate) fn client(&self, origin: Origin, headers: &HeaderMap) -> IpAddr {
        let mut client = origin.address;
        let mut is_proxy = self.is_proxy(origin);
        let lines = headers.get_all("x-forwarded-for").iter().rev();
        let mut hops = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
        while is_proxy && let Some(hop) = hops.next().and_then(|hop| read_hop(hop.trim())) {
            client = hop;
            is_proxy = self.trusted.contains(hop);
        }
        client
    }

    fn is_trusted(&self, origin: Origin) -> bool {
        origin.is_local || self.trusted.contains(origin.address)
    }
}

/// An address, which some proxies write in brackets or with a port.
fn read_hop(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address = text.parse::<IpAddr>().ok().or_else(with_port).or_else(bracketed);
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use warp::http::HeaderValue;

    fn proxies(trusted: &str, terminates_tls: bool) -> Proxies {
        Proxies::new(trusted.parse().unwrap(), terminates_tls, false)
    }

    fn headers(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", HeaderValue::from_str(line).unwrap());
        }
        headers
    }

    #[test]
    fn the_client_is_the_first_hop_that_is_no_trusted_proxy() {
        let chain = proxies("10.0.0.0/8, 2001:db8::/32, 192.0.2.1", false);
        for (peer, lines, client) in [
            ("203.0.113.9", &["198.51.100.1"][..], "203.0.113.9"),
            ("10.1.2.3", &["198.51.100.1"], "198.51.100.1"),
            ("10.1.2.3", &["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
            ("10.1.2.3", &["198.51.100.1, 203.0.113.9, 192.0.2.1"], "203.0.113.9"),
            ("10.1.2.3", &["198.51.100.1", "203.0.113.9, 10.9.9.9", "192.0.2.1"], "203.0.113.9"),
            ("::ffff:10.1.2.3", &["198.51.100.1:4711"], "198.51.100.1"),
            ("2001:db8::1", &["[2001:db9::7]:443"], "2001:db9::7"),
            ("2001:db8::1", &["[2001:db9::7]"], "2001:db9::7"),
            ("10.1.2.3", &["::ffff:198.51.100.1"], "198.51.100.1"),
            // All of them are proxies: the farthest is the client.
            ("10.1.2.3", &["10.0.0.1, 10.0.0.2"], "10.0.0.1"),
            // What is no address ends what can be believed.
            ("10.1.2.3", &["198.51.100.1, unknown"], "10.1.2.3"),
            ("10.1.2.3", &["198.51.100.1, , 192.0.2.1"], "192.0.2.1"),
            ("10.1.2.3", &[], "10.1.2.3"),
            ("10.1.2.3", &[""], "10.1.2.3"),
        ] {
            let origin = Origin::address(peer.parse().unwrap());
            assert_eq!(chain.client(origin, &headers(lines)).to_string(), client, "{peer} {lines:?}");
        }
        let last = headers(&["198.51.100.1, 203.0.113.9"]);
        assert_eq!(chain.client(Origin::unix(), &last).to_string(), "203.0.113.9");
    }

    #[test]
    fn without_a_list_the_last_entry_counts_and_only_behind_a_proxy() {
        let origin = Origin::address("192.0.2.7".parse().unwrap());
        let last = headers(&["198.51.100.1, 203.0.113.9"]);
        for (terminates_tls, client) in [(true, "203.0.113.9"), (false, "192.0.2.7")] {
            let proxies = proxies("", terminates_tls);
            assert_eq!(proxies.client(origin, &last).to_string(), client);
            assert_eq!(proxies.is_proxy(origin), terminates_tls);
            assert!(!proxies.sends_header(origin));
        }
        // With a list, everybody else speaks for themselves alone.
        assert!(!proxies("10.0.0.1", true).is_proxy(origin));
    }
}
