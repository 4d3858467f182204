//! Which pages may use the relay. A browser says in `Origin` where a page comes from, and no page can say otherwise; what
//! lets anybody in is still the token, so whoever is no browser and says nothing may come.

use super::kinds::Named;
use std::{fmt, net::IpAddr, str::FromStr};

/// Where Forge serves the pages of Custom UI from: every app under a name of its own. The first is in the Public Suffix
/// List at Atlassian's request (publicsuffix/list#1357: "We host apps from third party developers on
/// *.cdn.prod.atlassian-dev.net"); the second is what `@forge/csp` names in its place for the Government Cloud.
const FORGE: [&str; 2] =
    ["https://*.cdn.prod.atlassian-dev.net", "https://*.cdn.prod.atlassian-dev-us-gov-mod.net"];

/// The hosts of pages on the client's own machine.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The origins that an operator allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigins(Vec<Allowed>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Allowed {
    /// `forge`
    Forge,
    /// `tunnel`: pages that `forge tunnel` or a development server serves on the developer's own machine.
    Tunnel,
    /// `*`
    Any,
    /// `https://app.example.com`, or `https://*.example.com` for every name below it, however deep.
    Pattern(String),
}

impl AllowedOrigins {
    /// Whether a page of this origin may use the relay; `remote` is where its browser is.
    pub(crate) fn admits(&self, origin: &str, remote: IpAddr) -> bool {
        let is_allowed = |allowed: &Allowed| match allowed {
            Allowed::Forge => FORGE.iter().any(|pattern| matches(pattern, origin)),
            Allowed::Tunnel => is_tunnel(origin),
            Allowed::Any => true,
            Allowed::Pattern(pattern) => matches(pattern, origin),
        };
        // For who develops an app with a relay on the same machine.
        (remote.is_loopback() && is_loopback(origin)) || self.0.iter().any(is_allowed)
    }

    /// The sentence for a page of this origin that may not use the relay: it names the setting and the value to add.
    pub(crate) fn refusal(origin: &str) -> &'static str {
        if is_loopback(origin) {
            "pages of this origin may not use the relay; for pages of `forge tunnel`, its operator adds tunnel to the \
             setting allowed_origins"
        } else {
            "pages of this origin may not use the relay; its operator can add it to the setting allowed_origins"
        }
    }

    /// Whether every page there is may use the relay.
    pub(crate) fn are_all(&self) -> bool {
        self.0.contains(&Allowed::Any)
    }
}

impl FromStr for AllowedOrigins {
    type Err = String;

    /// Reads a list with commas or spaces between its parts.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split([',', ' ', '\n']).filter(|part| !part.is_empty());
        let allowed = parts.map(|part| match part {
            "forge" => Ok(Allowed::Forge),
            "tunnel" => Ok(Allowed::Tunnel),
            "*" => Ok(Allowed::Any),
            pattern if is_pattern(pattern) => Ok(Allowed::Pattern(pattern.to_owned())),
            _ => Err(format!(
                "'{part}' is no origin; write forge, or tunnel for pages on a developer's own machine, or a scheme and a \
                 host in small letters such as https://app.example.com, or https://*.example.com, or * for any"
            )),
        });
        allowed.collect::<Result<_, _>>().map(Self)
    }
}

impl Named for AllowedOrigins {
    const NAME: &'static str = "ORIGINS";
}

impl Default for AllowedOrigins {
    fn default() -> Self {
        Self(vec![Allowed::Forge])
    }
}

impl fmt::Display for AllowedOrigins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, allowed) in self.0.iter().enumerate() {
            let text = match allowed {
                Allowed::Forge => "forge",
                Allowed::Tunnel => "tunnel",
                Allowed::Any => "*",
                Allowed::Pattern(pattern) => pattern,
            };
            write!(f, "{}{text}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

fn is_pattern(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return false };
    let host = host.strip_prefix("*.").unwrap_or(host);
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._:[]".contains(&byte);
    matches!(scheme, "https" | "http")
        && !host.is_empty()
        && !host.starts_with('.')
        && host.bytes().all(is_name)
}

fn matches(pattern: &str, origin: &str) -> bool {
    let Some((scheme, suffix)) = pattern.split_once("*.") else { return pattern == origin };
    let below = origin.strip_prefix(scheme).and_then(|host| host.strip_suffix(suffix)?.strip_suffix('.'));
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    below.is_some_and(|names| !names.is_empty() && names.bytes().all(is_name))
}

fn is_loopback(origin: &str) -> bool {
    let Some((_, host)) = origin.split_once("://") else { return false };
    LOOPBACK.iter().any(|loopback| host.strip_prefix(loopback).is_some_and(is_port))
}

/// `forge tunnel` serves pages over http on localhost, on a port of its choice.
fn is_tunnel(origin: &str) -> bool {
    origin.starts_with("http://") && is_loopback(origin)
}

/// The rest of an origin after its host: nothing, or a colon and a port.
fn is_port(rest: &str) -> bool {
    match rest.strip_prefix(':') {
        None => rest.is_empty(),
        Some(port) => port.parse::<u16>().is_ok() && port.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REMOTE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));

    #[test]
    fn pages_of_forge_and_of_what_is_configured_are_allowed_and_no_other() {
        let forge = AllowedOrigins::default();
        let own = AllowedOrigins::from_str("https://a.example, https://*.b.example https://c.example:8443")
            .unwrap();
        let all = AllowedOrigins::from_str("forge, *").unwrap();
        for (origin, of_forge, of_own) in [
            ("https://6f2a1c3e-7b1d.cdn.prod.atlassian-dev.net", true, false),
            ("https://host.app.cdn.prod.atlassian-dev.net", true, false),
            ("https://x.cdn.prod.atlassian-dev-us-gov-mod.net", true, false),
            ("http://x.cdn.prod.atlassian-dev.net", false, false),
            ("https://cdn.prod.atlassian-dev.net", false, false),
            ("https://.cdn.prod.atlassian-dev.net", false, false),
            ("https://x.cdn.prod.atlassian-dev.net:444", false, false),
            ("https://x.cdn.prod.atlassian-dev.net.evil.example", false, false),
            ("https://evilcdn.prod.atlassian-dev.net", false, false),
            ("https://evil.example/.cdn.prod.atlassian-dev.net", false, false),
            ("https://a@evil.example?.cdn.prod.atlassian-dev.net", false, false),
            ("https://a.example", false, true),
            ("https://x.a.example", false, false),
            ("https://x.y.b.example", false, true),
            ("https://b.example", false, false),
            ("https://c.example:8443", false, true),
            ("https://c.example", false, false),
            ("http://localhost:3000", false, false),
            ("null", false, false),
            ("", false, false),
        ] {
            assert_eq!(forge.admits(origin, REMOTE), of_forge, "{origin}");
            assert_eq!(own.admits(origin, REMOTE), of_own, "{origin}");
            assert!(all.admits(origin, REMOTE));
        }
        assert!(all.are_all() && !own.are_all());
    }

    #[test]
    fn pages_of_the_clients_own_machine_are_allowed_where_the_relay_is_on_it() {
        let (origins, here) = (AllowedOrigins::default(), "127.0.0.1".parse().unwrap());
        for origin in ["http://localhost", "http://localhost:5173", "http://127.0.0.1:1", "http://[::1]:8080"]
        {
            assert!(origins.admits(origin, here) && origins.admits(origin, "::1".parse().unwrap()));
            assert!(!origins.admits(origin, REMOTE));
        }
        for origin in ["http://localhost.evil.example", "https://evil.example", "http://127.0.0.100", "null"]
        {
            assert!(!origins.admits(origin, here), "{origin}");
        }
    }

    #[test]
    fn tunnel_allows_pages_on_localhost_on_any_port_and_nothing_else() {
        let origins = AllowedOrigins::from_str("forge, tunnel").unwrap();
        for origin in [
            "http://localhost",
            "http://localhost:8001",
            "http://localhost:65535",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
            "https://x.cdn.prod.atlassian-dev.net",
        ] {
            assert!(origins.admits(origin, REMOTE), "{origin}");
        }
        for origin in [
            "https://localhost:8001",
            "http://localhost:",
            "http://localhost:x",
            "http://localhost:80.evil.example",
            "http://localhost:1@evil.example",
            "http://localhost.evil.example",
            "http://localhost:65536",
            "http://localhost:+80",
            "http://evil.example",
            "null",
        ] {
            assert!(!origins.admits(origin, REMOTE), "{origin}");
        }
        assert!(
            AllowedOrigins::refusal("http://localhost:8001")
                .contains("adds tunnel to the setting allowed_origins")
        );
        assert!(!AllowedOrigins::refusal("https://evil.example").contains("tunnel"));
    }

    #[test]
    fn what_is_no_origin_is_refused_and_the_rest_reads_as_it_was_written() {
        for text in ["forge", "forge, tunnel", "forge, https://a.example", "*", "", "http://*.a.example:8080"]
        {
            assert_eq!(AllowedOrigins::from_str(text).unwrap().to_string(), text);
        }
        for text in [
            "a.example",
            "https://",
            "https://*",
            "https://*.",
            "https://A.example",
            "ftp://a",
            "https://a/b",
        ] {
            assert!(AllowedOrigins::from_str(text).is_err(), "{text}");
        }
    }
}
