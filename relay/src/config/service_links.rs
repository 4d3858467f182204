//! Recognises the variables that Kubernetes sets in every pod for every Service of its namespace. Those of a Service whose
//! name begins with `sealwire-relay` have the same prefix as the relay's own.
//!
//! A Service `sealwire-relay-metrics` gives `SEALWIRE_RELAY_METRICS_SERVICE_HOST`, `…_SERVICE_PORT`,
//! `…_SERVICE_PORT_<NAME>`, `…_PORT`, `…_PORT_7441_TCP`, `…_PORT_7441_TCP_PROTO`, `…_PORT_7441_TCP_PORT` and
//! `…_PORT_7441_TCP_ADDR`. The values must have the form of Kubernetes' too, so that a misspelt setting is still an error.

use std::net::{IpAddr, SocketAddr};

const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "SCTP"];

/// True for a variable that Kubernetes set. `name` is without the relay's prefix.
pub(super) fn is_service_link(name: &str, value: &str) -> bool {
    let words = name.match_indices('_').map(|(underscore, _)| &name[underscore + 1..]);
    [name].into_iter().chain(words).any(|ending| is_link(ending, value))
}

/// `ending` is the variable without the name of the Service.
fn is_link(ending: &str, value: &str) -> bool {
    match ending {
        "SERVICE_HOST" => is_address(value),
        "SERVICE_PORT" => is_port(value),
        "PORT" => is_url(value),
        _ if let Some(port) = ending.strip_prefix("SERVICE_PORT_") => !port.is_empty() && is_port(value),
        _ => match *ending.split('_').collect::<Vec<_>>() {
            ["PORT", port, protocol, ref detail @ ..] if is_port(port) && PROTOCOLS.contains(&protocol) => {
                match *detail {
                    [] => is_url(value),
                    ["PROTO"] => value.eq_ignore_ascii_case(protocol),
                    ["PORT"] => value == port,
                    ["ADDR"] => is_address(value),
                    _ => false,
                }
            }
            _ => false,
        },
    }
}

fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok()
}

/// True for a URL such as `tcp://10.0.0.7:7441`.
fn is_url(text: &str) -> bool {
    text.split_once("://").is_some_and(|(protocol, address)| {
        PROTOCOLS.iter().any(|known| known.eq_ignore_ascii_case(protocol))
            && address.parse::<SocketAddr>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Setting;

    /// The variables that the kubelet sets for a Service with two ports (`pkg/kubelet/envvars`).
    fn links(service: &str, ip: &str) -> Vec<(String, String)> {
        let host = if ip.contains(':') { format!("[{ip}]") } else { ip.to_owned() };
        let mut links = vec![
            (format!("{service}SERVICE_HOST"), ip.to_owned()),
            (format!("{service}SERVICE_PORT"), "7440".to_owned()),
            (format!("{service}SERVICE_PORT_HTTP"), "7440".to_owned()),
            (format!("{service}SERVICE_PORT_ADMIN_METRICS"), "7441".to_owned()),
            (format!("{service}PORT"), format!("tcp://{host}:7440")),
        ];
        for (port, protocol) in [("7440", "TCP"), ("7441", "UDP"), ("7442", "SCTP")] {
            let name = format!("{service}PORT_{port}_{protocol}");
            let lower = protocol.to_lowercase();
            links.extend([
                (name.clone(), format!("{lower}://{host}:{port}")),
                (format!("{name}_PROTO"), lower),
                (format!("{name}_PORT"), port.to_owned()),
                (format!("{name}_ADDR"), ip.to_owned()),
            ]);
        }
        links
    }

    #[test]
    fn the_variables_of_every_service_are_recognised() {
        for service in ["", "METRICS_", "ADMIN_", "HEADLESS_", "PORT_7440_", "A_B_C_", "SERVICE_PORT_", "2_"]
        {
            for ip in ["10.0.0.7", "fd00::7"] {
                for (name, value) in links(service, ip) {
                    assert!(is_service_link(&name, &value), "{name}={value}");
                }
            }
        }
    }

    #[test]
    fn a_misspelt_setting_is_not_recognised() {
        for (name, value) in [
            ("PORT", "7440"),
            ("PORT", "127.0.0.1:7440"),
            ("LISTEN_PORT", "7440"),
            ("ADMIN_PORT", "http://127.0.0.1:7441"),
            ("SERVICE_HOST", "relay.example.com"),
            ("SERVICE_PORT", "any"),
            ("SERVICE_PORT_", "7440"),
            ("XPORT", "tcp://10.0.0.7:7440"),
            ("PORT_7440_TCP_PROTO", "udp"),
            ("PORT_7440_HTTP", "tcp://10.0.0.7:7440"),
            ("PORT_99999_TCP", "tcp://10.0.0.7:7440"),
            ("METRICS", "10.0.0.7"),
            ("LISTN", "127.0.0.1:7440"),
            ("", ""),
        ] {
            assert!(!is_service_link(name, value), "{name}={value}");
        }
    }

    #[test]
    fn no_setting_is_recognised() {
        for setting in Setting::ALL {
            for value in ["10.0.0.7", "7440", "tcp://10.0.0.7:7440", "tcp"] {
                assert!(!is_service_link(&setting.variable(), value), "{}", setting.variable());
            }
        }
    }
}
