//! Where connections come from: an address, a Unix domain socket, or a socket that systemd hands over.

pub(crate) mod accept;
pub(crate) mod net;
mod unix;

use crate::settings::Listen;
use listenfd::ListenFd;
use socket2::SockRef;
use std::{fmt, io, net::SocketAddr, os::fd::AsFd, path::PathBuf};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use unix::SocketFile;

/// Connections that the system may complete before the relay accepts them. Where everybody comes back at once, a shorter
/// queue makes most of them wait a second for their next SYN. The system cuts it to its own limit
/// (`net.core.somaxconn`).
const BACKLOG: i32 = 65_535;

pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, Option<SocketFile>),
}

/// A connection, and where it came from if that has an address.
pub(crate) enum Accepted {
    Tcp(TcpStream, SocketAddr),
    Unix(UnixStream),
}

/// Where a relay really listens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// An address.
    Tcp {
        /// With the real port.
        address: SocketAddr,
        /// Whether it speaks TLS.
        tls: bool,
    },
    /// A Unix domain socket; without a path where systemd opened one that has none.
    Unix(Option<PathBuf>),
}

impl Listener {
    /// `mode` is that of a Unix domain socket.
    pub(crate) async fn open(listen: &Listen, mode: u32) -> io::Result<Self> {
        match listen {
            Listen::Tcp(address) => {
                let listener = TcpListener::bind(address).await?;
                lengthen_queue(&listener)?;
                Self::tcp(listener)
            }
            Listen::Unix(path) => {
                let (listener, file) = unix::listen(path, mode)?;
                lengthen_queue(&listener)?;
                listener.set_nonblocking(true)?;
                Ok(Self::Unix(UnixListener::from_std(listener)?, Some(file)))
            }
            Listen::Systemd => from_systemd(),
        }
    }

    fn tcp(listener: TcpListener) -> io::Result<Self> {
        net::prepare(&listener)?;
        Ok(Self::Tcp(listener))
    }

    pub(crate) fn endpoint(&self, tls: bool) -> io::Result<Endpoint> {
        Ok(match self {
            Self::Tcp(listener) => Endpoint::Tcp { address: listener.local_addr()?, tls },
            Self::Unix(_, Some(file)) => Endpoint::Unix(Some(file.path().to_owned())),
            Self::Unix(listener, None) => {
                Endpoint::Unix(listener.local_addr()?.as_pathname().map(Into::into))
            }
        })
    }

    pub(crate) async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => listener.accept().await.map(|(stream, peer)| Accepted::Tcp(stream, peer)),
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                net::prepare_unix(&stream);
                Ok(Accepted::Unix(stream))
            }
        }
    }
}

/// The relay's own listeners begin with the queue of the standard library, which is short. A socket of systemd keeps the
/// `Backlog=` of its unit.
fn lengthen_queue(listener: &impl AsFd) -> io::Result<()> {
    SockRef::from(listener).listen(BACKLOG)
}

/// The one socket that was handed over (`LISTEN_FDS`, `LISTEN_PID`).
fn from_systemd() -> io::Result<Listener> {
    let mut sockets = ListenFd::from_env();
    if sockets.len() != 1 {
        let message = format!(
            "systemd handed over {} sockets where there must be one; start the relay through its .socket unit",
            sockets.len()
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    if let Ok(Some(listener)) = sockets.take_tcp_listener(0) {
        listener.set_nonblocking(true)?;
        return Listener::tcp(TcpListener::from_std(listener)?);
    }
    match sockets.take_unix_listener(0) {
        Ok(Some(listener)) => {
            listener.set_nonblocking(true)?;
            // The file is systemd's.
            Ok(Listener::Unix(UnixListener::from_std(listener)?, None))
        }
        _ => {
            let message =
                "the socket that systemd handed over is neither TCP nor a Unix stream; use ListenStream=";
            Err(io::Error::new(io::ErrorKind::InvalidInput, message))
        }
    }
}

impl Endpoint {
    /// The address, if it has one.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp { address, .. } => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { address, tls: true } => write!(f, "https://{address}"),
            Self::Tcp { address, tls: false } => write!(f, "http://{address}"),
            Self::Unix(Some(path)) => write!(f, "unix:{}", path.display()),
            Self::Unix(None) => f.write_str("unix:"),
        }
    }
}
