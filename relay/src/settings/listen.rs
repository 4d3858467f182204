//! Where a relay listens.

use super::kinds::Named;
use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};

/// Where a relay listens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Listen {
    /// An address; port 0 takes any.
    Tcp(SocketAddr),
    /// A Unix domain socket, which is made and, in the end, removed.
    Unix(PathBuf),
    /// The socket that systemd, or whoever else speaks its protocol, opened and hands over.
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
                    "'{text}' needs the whole path of the socket, such as unix:/run/sealwire/relay.sock"
                ));
            }
            return Ok(Self::Unix(path));
        }
        text.parse().map(Self::Tcp).map_err(|_| {
            format!(
                "'{text}' is no address to listen on; write an IP address and a port, such as 127.0.0.1:7440, or \
                 unix:/run/sealwire/relay.sock, or systemd"
            )
        })
    }
}

impl Named for Listen {
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
