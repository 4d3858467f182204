//! Risks of the proxies that the relay trusts: any client could claim another address, or all share one.

use super::Config;
use crate::settings::{Listen, key};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Networks that nobody reaches from the internet: large ones of them are in use, and trusted as a whole.
const PRIVATE: [IpNet; 9] = [
    v4([10, 0, 0, 0], 8),
    v4([100, 64, 0, 0], 10),
    v4([127, 0, 0, 0], 8),
    v4([169, 254, 0, 0], 16),
    v4([172, 16, 0, 0], 12),
    v4([192, 168, 0, 0], 16),
    v6(0xfc00, 7),
    v6(0xfe80, 10),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
];
/// Any other network with a shorter prefix than the largest that a content delivery network publishes of its own.
const SHORTEST_PREFIX_V4: u8 = 12;
const SHORTEST_PREFIX_V6: u8 = 24;

const fn v4([a, b, c, d]: [u8; 4], prefix: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix))
}

const fn v6(first: u16, prefix: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, 0), prefix))
}

impl Config {
    pub(super) fn proxy_risks(&self) -> Vec<(&'static str, String)> {
        let networks = self.settings.trusted_proxies.networks();
        let mut problems: Vec<String> = networks.iter().filter_map(problem_of).collect();
        if let Listen::Tcp(address) = self.settings.listen
            && networks.is_empty()
        {
            let ip = address.ip();
            match (ip.is_loopback(), self.settings.proxy_terminates_tls) {
                (true, false) => problems.push(format!(
                    "is empty, so that behind a proxy on this machine all clients count as {ip} and share the limits of \
                     one address; name it: trusted_proxies = \"{ip}\""
                )),
                (false, true) => problems.push(format!(
                    "is empty, so that the X-Forwarded-For of every machine that reaches {address} is believed, and \
                     each can claim to be any client; name the addresses of the proxies"
                )),
                _ => {}
            }
        }
        problems.into_iter().map(|problem| (key!(trusted_proxies), problem)).collect()
    }
}

fn problem_of(network: &IpNet) -> Option<String> {
    if let Some(mapped) = mapped(network) {
        return Some(format!(
            "{network} never matches, because an IPv4 address that comes as an IPv6 one is compared as IPv4; write \
             {mapped}"
        ));
    }
    let shortest = if network.addr().is_ipv4() { SHORTEST_PREFIX_V4 } else { SHORTEST_PREFIX_V6 };
    let is_private = PRIVATE.iter().any(|private| private.contains(network));
    (network.prefix_len() < shortest && !is_private).then(|| {
        format!(
            "{network} is far more than an operator's own proxies, and whoever has an address in it can claim to be any \
             client; name the addresses of the proxies"
        )
    })
}

/// The IPv4 network that an IPv6 one stands for.
fn mapped(network: &IpNet) -> Option<Ipv4Net> {
    let IpNet::V6(network) = network else { return None };
    Ipv4Net::new(network.addr().to_ipv4_mapped()?, network.prefix_len().checked_sub(96)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn risks(listen: &str, trusted: &str, terminates_tls: bool) -> Vec<String> {
        let settings = Settings {
            listen: listen.parse().unwrap(),
            trusted_proxies: trusted.parse().unwrap(),
            proxy_terminates_tls: terminates_tls,
            ..Settings::default()
        };
        let config = Config { settings, ..Config::default() };
        config.proxy_risks().into_iter().map(|(_, problem)| problem).collect()
    }

    #[test]
    fn networks_that_are_too_large_or_never_match_are_told() {
        for (trusted, said) in [
            ("0.0.0.0/0", Some("0.0.0.0/0 is far more")),
            ("::/0", Some("::/0 is far more")),
            ("0.0.0.0/1, 10.0.0.1", Some("0.0.0.0/1 is far more")),
            ("10.0.0.0/7", Some("10.0.0.0/7 is far more")),
            ("203.0.0.0/8", Some("203.0.0.0/8 is far more")),
            ("2000::/3", Some("2000::/3 is far more")),
            ("::/90", None),
            ("::ffff:10.0.0.0/104", Some("::ffff:10.0.0.0/104 never matches")),
            ("::ffff:0.0.0.0/96", Some("::ffff:0.0.0.0/96 never matches")),
            ("10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7, fe80::/10, 127.0.0.0/8, ::1", None),
            // Of Cloudflare.
            ("104.16.0.0/13, 172.64.0.0/13, 2400:cb00::/32, 2a06:98c0::/29", None),
            ("::ffff:10.0.0.1", None),
        ] {
            let told = risks("0.0.0.0:7440", trusted, true);
            assert_eq!(told.len(), usize::from(said.is_some()), "{trusted}: {told:?}");
            assert!(told.iter().all(|told| told.starts_with(said.unwrap())), "{trusted}: {told:?}");
        }
        assert!(risks("[::]:1", "::ffff:10.0.0.0/104", true)[0].ends_with("write 10.0.0.0/8"));
    }

    #[test]
    fn a_listener_that_believes_everybody_or_takes_all_for_one_is_told() {
        for (listen, trusted, terminates_tls, said) in [
            ("0.0.0.0:7440", "", true, Some("every machine that reaches 0.0.0.0:7440 is believed")),
            ("[::]:7440", "", true, Some("every machine that reaches [::]:7440")),
            ("203.0.113.9:7440", "", true, Some("each can claim to be any client")),
            ("0.0.0.0:7440", "10.0.0.1", true, None),
            ("0.0.0.0:443", "", false, None),
            ("127.0.0.1:7440", "", false, Some("trusted_proxies = \"127.0.0.1\"")),
            ("[::1]:7440", "", false, Some("all clients count as ::1")),
            ("127.0.0.1:7440", "127.0.0.1", false, None),
            ("127.0.0.1:7440", "", true, None),
            ("unix:/run/relay.sock", "", false, None),
            ("systemd", "", true, None),
        ] {
            let told = risks(listen, trusted, terminates_tls);
            assert_eq!(told.len(), usize::from(said.is_some()), "{listen} {trusted}: {told:?}");
            assert!(told.iter().all(|told| told.contains(said.unwrap())), "{listen} {trusted}: {told:?}");
        }
    }
}
