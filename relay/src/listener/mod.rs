//! The listener for clients: an address, a Unix domain socket, or a socket that systemd passes to the relay.

pub(crate) mod accept;
mod arrival;
pub(crate) mod net;
mod serve;
mod unix;

use crate::settings::Listen;
use listenfd::ListenFd;
use socket2::SockRef;
use std::{fmt, io, net::SocketAddr, os::fd::AsFd, path::PathBuf, time::Duration};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use unix::SocketFile;

/// The number of connections that the system may complete before the relay accepts them. When all clients reconnect at
/// once, a shorter queue makes most of them wait a second for their next SYN. The system reduces it to its own limit
/// (`net.core.somaxconn`).
const BACKLOG: i32 = 65_535;
/// The pause after `accept` failed. It usually fails because no file descriptor is left.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, Option<SocketFile>),
}

/// The socket of a new connection, with its peer's address if it has one.
pub(crate) enum AcceptedStream {
    Tcp(TcpStream, SocketAddr),
    Unix(UnixStream),
}

/// The endpoint on which a relay listens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// An address.
    Tcp {
        /// The address with the port that the system assigned.
        address: SocketAddr,
        /// True if the endpoint uses TLS.
        tls: bool,
    },
    /// The path of a Unix domain socket; `None` if systemd opened an unnamed one.
    Unix(Option<PathBuf>),
}

impl Listener {
    /// Starts to listen. `socket_mode` is the file mode of a Unix domain socket.
    pub(crate) async fn open(listen: &Listen, socket_mode: u32) -> io::Result<Self> {
        match listen {
            Listen::Tcp(address) => {
                let listener = TcpListener::bind(address).await?;
                lengthen_queue(&listener)?;
                Self::tcp(listener)
            }
            Listen::Unix(path) => {
                let (listener, file) = unix::listen(path, socket_mode)?;
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

    pub(crate) async fn accept(&self) -> io::Result<AcceptedStream> {
        match self {
            Self::Tcp(listener) => {
                listener.accept().await.map(|(stream, peer)| AcceptedStream::Tcp(stream, peer))
            }
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                net::prepare_unix(&stream);
                Ok(AcceptedStream::Unix(stream))
            }
        }
    }
}

/// Replaces the short queue that the standard library gives a listener. A socket from systemd keeps the `Backlog=` of its
/// unit.
fn lengthen_queue(listener: &impl AsFd) -> io::Result<()> {
    SockRef::from(listener).listen(BACKLOG)
}

/// Takes the one socket that systemd passed (`LISTEN_FDS`, `LISTEN_PID`).
fn from_systemd() -> io::Result<Listener> {
    let mut sockets = ListenFd::from_env();
    if sockets.len() != 1 {
        let message = format!(
            "systemd passed {} sockets, but listen = \"systemd\" needs exactly one; start the relay through its .socket \
             unit",
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
            // systemd owns the file.
            Ok(Listener::Unix(UnixListener::from_std(listener)?, None))
        }
        _ => {
            let message =
                "the socket that systemd passed is neither TCP nor a Unix stream socket; use ListenStream=";
            Err(io::Error::new(io::ErrorKind::InvalidInput, message))
        }
    }
}

impl Endpoint {
    /// Returns the address of a TCP endpoint.
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
