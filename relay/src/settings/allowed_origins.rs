//! The setting `allowed_origins`: the pages that may use the relay. A browser states a page's origin in the header `Origin`,
//! and the page cannot change it. A client without the header is not refused here: the token is still what authorises it.

use super::kinds::ParsedValue;
use std::{fmt, net::IpAddr, str::FromStr};

/// The origins of Custom UI pages on Forge: every app has its own subdomain. The first domain is in the Public Suffix List at
/// Atlassian's request (publicsuffix/list#1357: "We host apps from third party developers on
/// *.cdn.prod.atlassian-dev.net"); `@forge/csp` uses the second one for the Government Cloud.
const FORGE: [&str; 2] =
    ["https://*.cdn.prod.atlassian-dev.net", "https://*.cdn.prod.atlassian-dev-us-gov-mod.net"];

/// The host names of pages on the client's machine.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The origins that an operator allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigins(Vec<Allowed>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Allowed {
    /// `forge`
    Forge,
    /// `tunnel`: pages that `forge tunnel` or a development server serves on the developer's machine.
    Tunnel,
    /// `*`
    Any,
    /// `https://app.example.com`, or `https://*.example.com` for every subdomain at any depth.
    Pattern(String),
}

impl AllowedOrigins {
    /// True if a page of this origin may use the relay. `remote` is the address of its browser.
    pub(crate) fn admits(&self, origin: &str, remote: IpAddr) -> bool {
        let is_allowed = |allowed: &Allowed| match allowed {
            Allowed::Forge => FORGE.iter().any(|pattern| matches(pattern, origin)),
            Allowed::Tunnel => is_tunnel(origin),
            Allowed::Any => true,
            Allowed::Pattern(pattern) => matches(pattern, origin),
        };
        // A developer's page and relay on the same machine need no setting.
        (remote.is_loopback() && is_loopback(origin)) || self.0.iter().any(is_allowed)
    }

    /// The error message for a page of a refused origin. It names the setting and the value to add.
    pub(crate) fn refusal(origin: &str) -> &'static str {
        if is_loopback(origin) {
            "pages of this origin may not use the relay; for pages of `forge tunnel`, its operator adds tunnel to the \
             setting allowed_origins"
        } else {
            "pages of this origin may not use the relay; its operator can add the origin to the setting allowed_origins"
        }
    }

    /// True if pages of every origin may use the relay.
    pub(crate) fn allow_any(&self) -> bool {
        self.0.contains(&Allowed::Any)
    }
}

impl FromStr for AllowedOrigins {
    type Err = String;

    /// Reads a list separated by commas or spaces.
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split([',', ' ', '\n']).filter(|part| !part.is_empty());
        let allowed = parts.map(|part| match part {
            "forge" => Ok(Allowed::Forge),
            "tunnel" => Ok(Allowed::Tunnel),
            "*" => Ok(Allowed::Any),
            pattern if is_pattern(pattern) => Ok(Allowed::Pattern(pattern.to_owned())),
            _ => Err(format!(
                "'{part}' is not an origin; write forge, or tunnel for pages on a developer's machine, or a scheme and a \
                 host in lower case such as https://app.example.com or https://*.example.com, or * for any origin"
            )),
        });
        allowed.collect::<Result<_, _>>().map(Self)
    }
}

impl ParsedValue for AllowedOrigins {
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

/// True for a page of `forge tunnel`, which serves pages over HTTP on localhost, on any port.
fn is_tunnel(origin: &str) -> bool {
    origin.starts_with("http://") && is_loopback(origin)
}

/// True if the rest of an origin after its host is empty, or a colon and a port.
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
    fn only_pages_of_forge_or_of_a_configured_origin_are_allowed() {
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
        assert!(all.allow_any() && !own.allow_any());
    }

    #[test]
    fn pages_on_localhost_are_allowed_if_their_browser_is_on_the_relays_machine() {
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
    fn tunnel_allows_only_pages_on_localhost_on_any_port() {
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
    fn origins_are_written_as_they_were_read_and_other_texts_are_refused() {
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
