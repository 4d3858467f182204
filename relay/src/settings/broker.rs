//! The settings `broker` and `broker_prefix`: the embedded broker or a NATS cluster, and the names that a cluster uses there.

use super::kinds::ParsedValue;
use std::{fmt, str::FromStr};

/// The maximum number of NATS servers.
const MAX_SERVERS: usize = 16;
const MAX_PREFIX: usize = 32;

/// The broker of a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BrokerAddress {
    /// The broker in the relay's own memory, for a single relay.
    Embedded,
    /// The servers of one NATS cluster.
    Nats(Vec<NatsServer>),
}

/// The address of one NATS server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NatsServer {
    /// The name or address of the host. An IPv6 address has its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// True if the connection must use TLS.
    pub tls: bool,
}

const EMBEDDED: &str = "embedded";
const NATS: &str = "nats://";
const TLS: &str = "tls://";
const DEFAULT_PORT: u16 = 4222;

impl BrokerAddress {
    /// Returns true if any server requires TLS.
    #[must_use]
    pub fn requires_tls(&self) -> bool {
        matches!(self, Self::Nats(servers) if servers.iter().any(|server| server.tls))
    }
}

impl FromStr for BrokerAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == EMBEDDED {
            return Ok(Self::Embedded);
        }
        let servers: Vec<_> =
            text.split(',').map(|server| server.trim().parse()).collect::<Result<_, String>>()?;
        if servers.len() > MAX_SERVERS {
            return Err(format!("names {} servers; list at most {MAX_SERVERS}", servers.len()));
        }
        Ok(Self::Nats(servers))
    }
}

impl FromStr for NatsServer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A user name or password is a secret, so the error does not repeat the text.
        if text.contains('@') {
            return Err(
                "an address must not contain credentials; set broker_user and broker_password_file, \
                        broker_token_file, or broker_credentials"
                    .to_owned(),
            );
        }
        let invalid = || {
            format!(
                "'{text}' is not a broker; write embedded, or the servers of a NATS cluster, such as \
                 nats://nats-1:4222,nats://nats-2:4222"
            )
        };
        let (tls, rest) = match (text.strip_prefix(NATS), text.strip_prefix(TLS)) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => return Err(invalid()),
        };
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| invalid())?),
            _ => (rest, DEFAULT_PORT),
        };
        let is_ipv6 = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok());
        let is_name = !host.is_empty()
            && host.len() <= 253
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
        if port == 0 || !(is_ipv6 || is_name) {
            return Err(invalid());
        }
        Ok(Self { host: host.to_owned(), port, tls })
    }
}

impl fmt::Display for NatsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}:{}", if self.tls { TLS } else { NATS }, self.host, self.port)
    }
}

impl fmt::Display for BrokerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str(EMBEDDED),
            Self::Nats(servers) => {
                let servers: Vec<_> = servers.iter().map(NatsServer::to_string).collect();
                f.write_str(&servers.join(","))
            }
        }
    }
}

impl ParsedValue for BrokerAddress {
    const NAME: &'static str = "BROKER";
    const IS_LIST: bool = true;
}

/// The start of the names of a cluster's streams and subjects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerPrefix(String);

impl BrokerPrefix {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for BrokerPrefix {
    fn default() -> Self {
        Self("sealwire".to_owned())
    }
}

impl FromStr for BrokerPrefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_valid = (1..=MAX_PREFIX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        match is_valid {
            true => Ok(Self(text.to_owned())),
            false => {
                Err(format!("'{text}' is not a prefix; use 1 to {MAX_PREFIX} letters, digits, '-' or '_'"))
            }
        }
    }
}

impl fmt::Display for BrokerPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ParsedValue for BrokerPrefix {
    const NAME: &'static str = "NAME";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_embedded_or_a_list_of_nats_servers() {
        for (text, expected) in [
            ("embedded", "embedded"),
            ("nats://nats-1", "nats://nats-1:4222"),
            ("nats://a:1, tls://b.example.com:65535", "nats://a:1,tls://b.example.com:65535"),
            ("tls://[::1]", "tls://[::1]:4222"),
            ("nats://[fe80::1]:4333", "nats://[fe80::1]:4333"),
        ] {
            assert_eq!(text.parse::<BrokerAddress>().unwrap().to_string(), expected);
        }
        assert!("nats://a,tls://b".parse::<BrokerAddress>().unwrap().requires_tls());
        assert!(!"nats://a".parse::<BrokerAddress>().unwrap().requires_tls());
    }

    #[test]
    fn other_texts_are_refused_and_credentials_are_not_repeated() {
        for text in [
            "",
            "nats",
            "nats://",
            "http://a",
            "nats://a:0",
            "nats://a:x",
            "nats://a b",
            "nats://a,",
            "nats://[::1",
        ] {
            let error = text.parse::<BrokerAddress>().unwrap_err();
            assert!(error.contains("is not a broker"), "{text}: {error}");
        }
        let error = "nats://user:secret@a".parse::<BrokerAddress>().unwrap_err();
        assert!(error.contains("broker_password_file") && !error.contains("secret"));
        let many = vec!["nats://a"; 17].join(",");
        assert!(many.parse::<BrokerAddress>().unwrap_err().contains("at most 16"));
    }

    #[test]
    fn a_prefix_is_one_token_of_a_subject() {
        for text in ["sealwire", "a", "A-b_9"] {
            assert_eq!(text.parse::<BrokerPrefix>().unwrap().as_str(), text);
        }
        for text in ["", "a.b", "a*", "a>", "a b", "é", &"a".repeat(33)] {
            assert!(text.parse::<BrokerPrefix>().unwrap_err().contains("is not a prefix"), "{text}");
        }
    }
}
