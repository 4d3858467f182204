//! The setting `otlp_endpoint`: the collector of OpenTelemetry that receives the relay's traces.

use super::kinds::ParsedValue;
use std::{fmt, net::IpAddr, str::FromStr};
use warp::http::Uri;

const MAX_LEN: usize = 1024;
/// The path of traces below the path of an endpoint, as OTLP over HTTP defines it.
const TRACES: &str = "/v1/traces";
const DEFAULT_PORT: u16 = 4318;
/// The port of collectors for OTLP over gRPC, which the relay does not speak.
const GRPC_PORT: u16 = 4317;

/// The address to which traces are posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpEndpoint {
    tls: bool,
    host: String,
    port: u16,
    /// The complete path, with `/v1/traces` at its end.
    path: String,
}

impl OtlpEndpoint {
    /// Returns true if the connection uses TLS.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.tls
    }

    /// Returns true if the collector is on this machine.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }

    /// Returns true if the port is the one that collectors use for gRPC.
    #[must_use]
    pub fn has_grpc_port(&self) -> bool {
        self.port == GRPC_PORT
    }
}

impl FromStr for OtlpEndpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A user name, password or parameter may be a secret, so the error does not repeat the text.
        if text.contains(['@', '?', '#']) {
            return Err("an address of a collector must not contain credentials or parameters; run a collector next to the \
                        relay that adds them"
                .to_owned());
        }
        let invalid = || {
            let shown: String = text.chars().take(100).collect();
            format!(
                "'{shown}' is not the address of a collector; write one such as http://127.0.0.1:{DEFAULT_PORT}"
            )
        };
        if text.len() > MAX_LEN {
            return Err(invalid());
        }
        let uri: Uri = text.parse().map_err(|_| invalid())?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(invalid()),
        };
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(invalid)?.to_owned();
        let has_port = uri.authority().is_some_and(|authority| authority.as_str().len() > host.len());
        let port = match uri.port_u16() {
            Some(port @ 1..) => port,
            None if !has_port => DEFAULT_PORT,
            _ => return Err(invalid()),
        };
        let base = uri.path().trim_end_matches('/');
        let path = format!("{}{TRACES}", base.strip_suffix(TRACES).unwrap_or(base));
        Ok(Self { tls, host, port, path })
    }
}

/// Writes the complete address.
impl fmt::Display for OtlpEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tls, host, port, path } = self;
        write!(f, "http{}://{host}:{port}{path}", if *tls { "s" } else { "" })
    }
}

impl ParsedValue for OtlpEndpoint {
    const NAME: &'static str = "URL";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_traces_is_added_once() {
        for (text, expected) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("http://collector", "http://collector:4318/v1/traces"),
            ("https://collector.example.com:443/", "https://collector.example.com:443/v1/traces"),
            ("http://[::1]:4318/v1/traces", "http://[::1]:4318/v1/traces"),
            ("https://gateway:8443/otlp/", "https://gateway:8443/otlp/v1/traces"),
        ] {
            let endpoint: OtlpEndpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), expected);
            assert_eq!(expected.parse(), Ok(endpoint));
        }
    }

    #[test]
    fn other_texts_are_refused_and_secrets_are_not_repeated() {
        for text in [
            "",
            "off ",
            "collector:4318",
            "grpc://collector:4317",
            "http://",
            "http://:4318",
            "http://a:0",
            "http://a:",
            "http://a:99999",
            "http://a b",
            "/v1/traces",
            &format!("http://a/{}", "b".repeat(2000)),
        ] {
            let error = text.parse::<OtlpEndpoint>().unwrap_err();
            assert!(
                error.contains("is not the address of a collector") && error.len() < 300,
                "{text}: {error}"
            );
        }
        for text in ["http://user:secret@a:4318", "https://a:4318/?key=secret", "https://a:4318/#secret"] {
            let error = text.parse::<OtlpEndpoint>().unwrap_err();
            assert!(error.contains("must not contain credentials") && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_collector_on_this_machine_is_recognized() {
        for (text, is_local) in [
            ("http://127.0.0.2:4318", true),
            ("http://[::1]", true),
            ("http://localhost", true),
            ("http://10.0.0.1", false),
            ("http://localhost.example.com", false),
        ] {
            assert_eq!(text.parse::<OtlpEndpoint>().unwrap().is_local(), is_local, "{text}");
        }
    }
}
