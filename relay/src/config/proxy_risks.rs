//! Risks of the setting `trusted_proxies`: clients that can claim another address, or that all count as one address.

use super::Config;
use crate::settings::{Listen, key};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Networks that are not reachable from the internet. Operators commonly trust large ones of them as a whole.
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
/// The shortest prefix of any other network that is plausible: content delivery networks publish none with a shorter one.
const MIN_PREFIX_V4: u8 = 12;
const MIN_PREFIX_V6: u8 = 24;

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
                    "is empty, so behind a proxy on this machine all clients count as {ip} and share the limits of one \
                     address; if there is a proxy, set trusted_proxies = \"{ip}\""
                )),
                (false, true) => problems.push(format!(
                    "is empty, so the relay believes the X-Forwarded-For of every machine that reaches {address}, and any \
                     of them can claim to be any client; list the addresses of your proxies"
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
            "{network} never matches, because IPv4 addresses in IPv6 form are compared as IPv4; write {mapped}"
        ));
    }
    let min_prefix = if network.addr().is_ipv4() { MIN_PREFIX_V4 } else { MIN_PREFIX_V6 };
    let is_private = PRIVATE.iter().any(|private| private.contains(network));
    (network.prefix_len() < min_prefix && !is_private).then(|| {
        format!(
            "{network} is too large to be your own proxies only, and any machine in it can claim to be any client; list \
             the addresses of your proxies"
        )
    })
}

/// Returns the IPv4 network that an IPv4-mapped IPv6 network stands for.
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
    fn networks_that_are_too_large_or_never_match_are_risks() {
        for (trusted, expected) in [
            ("0.0.0.0/0", Some("0.0.0.0/0 is too large")),
            ("::/0", Some("::/0 is too large")),
            ("0.0.0.0/1, 10.0.0.1", Some("0.0.0.0/1 is too large")),
            ("10.0.0.0/7", Some("10.0.0.0/7 is too large")),
            ("203.0.0.0/8", Some("203.0.0.0/8 is too large")),
            ("2000::/3", Some("2000::/3 is too large")),
            ("::/90", None),
            ("::ffff:10.0.0.0/104", Some("::ffff:10.0.0.0/104 never matches")),
            ("::ffff:0.0.0.0/96", Some("::ffff:0.0.0.0/96 never matches")),
            ("10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7, fe80::/10, 127.0.0.0/8, ::1", None),
            // Networks of Cloudflare.
            ("104.16.0.0/13, 172.64.0.0/13, 2400:cb00::/32, 2a06:98c0::/29", None),
            ("::ffff:10.0.0.1", None),
        ] {
            let found = risks("0.0.0.0:7440", trusted, true);
            assert_eq!(found.len(), usize::from(expected.is_some()), "{trusted}: {found:?}");
            assert!(found.iter().all(|risk| risk.starts_with(expected.unwrap())), "{trusted}: {found:?}");
        }
        assert!(risks("[::]:1", "::ffff:10.0.0.0/104", true)[0].ends_with("write 10.0.0.0/8"));
    }

    #[test]
    fn an_empty_list_is_a_risk_if_everybody_is_believed_or_all_clients_share_one_address() {
        for (listen, trusted, terminates_tls, expected) in [
            ("0.0.0.0:7440", "", true, Some("every machine that reaches 0.0.0.0:7440,")),
            ("[::]:7440", "", true, Some("every machine that reaches [::]:7440")),
            ("203.0.113.9:7440", "", true, Some("can claim to be any client")),
            ("0.0.0.0:7440", "10.0.0.1", true, None),
            ("0.0.0.0:443", "", false, None),
            ("127.0.0.1:7440", "", false, Some("trusted_proxies = \"127.0.0.1\"")),
            ("[::1]:7440", "", false, Some("all clients count as ::1")),
            ("127.0.0.1:7440", "127.0.0.1", false, None),
            ("127.0.0.1:7440", "", true, None),
            ("unix:/run/relay.sock", "", false, None),
            ("systemd", "", true, None),
        ] {
            let found = risks(listen, trusted, terminates_tls);
            assert_eq!(found.len(), usize::from(expected.is_some()), "{listen} {trusted}: {found:?}");
            assert!(
                found.iter().all(|risk| risk.contains(expected.unwrap())),
                "{listen} {trusted}: {found:?}"
            );
        }
    }
}
