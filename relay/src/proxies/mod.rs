//! The address of the client behind proxies. Only a trusted proxy's statement about its own peer is believed.

pub(crate) mod header;
mod network;
mod trusted;

pub(crate) use network::client_network;
pub use trusted::TrustedProxies;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use warp::http::HeaderMap;

/// The address of a connection's peer, which may be a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PeerAddress {
    /// The peer's IP address. A peer on a Unix domain socket has none and counts as the loopback address.
    pub(crate) ip: IpAddr,
    /// True for a Unix domain socket. Only the relay's own proxy reaches it.
    is_unix: bool,
}

impl PeerAddress {
    pub(crate) fn tcp(ip: IpAddr) -> Self {
        Self { ip: ip.to_canonical(), is_unix: false }
    }

    pub(crate) fn unix() -> Self {
        Self { ip: Ipv4Addr::LOCALHOST.into(), is_unix: true }
    }
}

/// The operator's proxies: tells them from clients, and reads the client's address from their headers.
#[derive(Clone, Debug)]
pub(crate) struct Proxies {
    trusted: TrustedProxies,
    /// True if every peer counts as a proxy, because a proxy is configured and no list names its addresses.
    trusts_every_peer: bool,
    sends_header: bool,
}

impl Proxies {
    /// `terminate_tls` and `send_header` are the settings `proxy_terminates_tls` and `proxy_protocol`.
    pub(crate) fn new(trusted: TrustedProxies, terminate_tls: bool, send_header: bool) -> Self {
        let trusts_every_peer = terminate_tls && trusted.is_empty() && !send_header;
        Self { trusted, trusts_every_peer, sends_header: send_header }
    }

    /// True if the peer is a proxy.
    pub(crate) fn is_proxy(&self, peer: PeerAddress) -> bool {
        self.trusts_every_peer || self.is_trusted(peer)
    }

    /// True if a connection from this peer begins with a header of the PROXY protocol.
    pub(crate) fn sends_header(&self, peer: PeerAddress) -> bool {
        self.sends_header && self.is_trusted(peer)
    }

    /// The address of a request's client: the last hop of `X-Forwarded-For` that is not a trusted proxy. Earlier hops are
    /// ignored, because the client may have written them itself.
    pub(crate) fn client(&self, peer: PeerAddress, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.ip;
        let mut is_proxy = self.is_proxy(peer);
        let lines = headers.get_all("x-forwarded-for").iter().rev();
        let mut hops = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
        while is_proxy && let Some(hop) = hops.next().and_then(|hop| read_hop(hop.trim())) {
            client = hop;
            is_proxy = self.trusted.contains(hop);
        }
        client
    }

    fn is_trusted(&self, peer: PeerAddress) -> bool {
        peer.is_unix || self.trusted.contains(peer.ip)
    }
}

/// Reads the address of a hop. Some proxies add brackets or a port.
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
    fn the_client_is_the_last_hop_that_is_not_a_trusted_proxy() {
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
            // All hops are proxies: the first one is the client.
            ("10.1.2.3", &["10.0.0.1, 10.0.0.2"], "10.0.0.1"),
            // The search ends at a hop that is not an address.
            ("10.1.2.3", &["198.51.100.1, unknown"], "10.1.2.3"),
            ("10.1.2.3", &["198.51.100.1, , 192.0.2.1"], "192.0.2.1"),
            ("10.1.2.3", &[], "10.1.2.3"),
            ("10.1.2.3", &[""], "10.1.2.3"),
        ] {
            let address = PeerAddress::tcp(peer.parse().unwrap());
            assert_eq!(chain.client(address, &headers(lines)).to_string(), client, "{peer} {lines:?}");
        }
        let last = headers(&["198.51.100.1, 203.0.113.9"]);
        assert_eq!(chain.client(PeerAddress::unix(), &last).to_string(), "203.0.113.9");
    }

    #[test]
    fn without_a_list_of_proxies_the_last_hop_is_the_client_if_a_proxy_terminates_tls() {
        let peer = PeerAddress::tcp("192.0.2.7".parse().unwrap());
        let last = headers(&["198.51.100.1, 203.0.113.9"]);
        for (terminates_tls, client) in [(true, "203.0.113.9"), (false, "192.0.2.7")] {
            let proxies = proxies("", terminates_tls);
            assert_eq!(proxies.client(peer, &last).to_string(), client);
            assert_eq!(proxies.is_proxy(peer), terminates_tls);
            assert!(!proxies.sends_header(peer));
        }
        // With a list, every other peer is a client.
        assert!(!proxies("10.0.0.1", true).is_proxy(peer));
    }
}
