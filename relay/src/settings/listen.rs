//! The setting `listen`: the address or socket for clients.

use super::kinds::ParsedValue;
use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};

/// The address or socket on which a relay listens for clients.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Listen {
    /// An address. With port 0, the system chooses the port.
    Tcp(SocketAddr),
    /// A Unix domain socket, which the relay creates and removes at its end.
    Unix(PathBuf),
    /// A socket that systemd, or another supervisor with its protocol, opened and passes to the relay.
    Systemd,
}

const UNIX: &str = "unix:";
const SYSTEMD: &str = "systemd";

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == SYSTEMD {
            return Ok(Self::Systemd);
        }
        if let Some(path) = text.strip_prefix(UNIX) {
            let path = PathBuf::from(path);
            if !path.is_absolute() || path.file_name().is_none() {
                return Err(format!(
                    "'{text}' needs the absolute path of the socket, such as unix:/run/sealwire/relay.sock"
                ));
            }
            return Ok(Self::Unix(path));
        }
        text.parse().map(Self::Tcp).map_err(|_| {
            format!(
                "'{text}' is not an address; write an IP address and a port, such as 127.0.0.1:7440, or \
                 unix:/run/sealwire/relay.sock, or systemd"
            )
        })
    }
}

impl ParsedValue for Listen {
    const NAME: &'static str = "ADDRESS";
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
            Self::Systemd => f.write_str(SYSTEMD),
        }
    }
}

impl From<SocketAddr> for Listen {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}
