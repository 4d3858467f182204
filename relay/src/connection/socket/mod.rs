//! What a connection reads from and writes to, without waiting: whoever has a frame writes it at once, and only the
//! connection's own task waits. Most sockets are plain TCP, and are no larger for the other kinds.

mod tls;

use crate::{guests::Paced, listener::net, sse::StreamedSocket};
use bytes::{Bytes, BytesMut};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use std::{
    io::{self, IoSlice},
    net::Shutdown,
    task::{Context, Poll},
};
pub(crate) use tls::SESSION as TLS_SESSION;
use tls::TlsSocket;
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::server::TlsStream;

/// A socket after its opening handshake.
pub(crate) enum Socket {
    /// A WebSocket.
    Tcp(TcpStream),
    /// A WebSocket on a Unix domain socket.
    Unix(Box<UnixStream>),
    /// A WebSocket in TLS.
    Tls(Box<TlsSocket>),
    /// A client whose network lets no WebSocket through.
    Streamed(StreamedSocket),
}

impl Socket {
    /// Takes the socket out of an HTTP connection, with what was read after the handshake already. `None` where it is
    /// none of the relay's own listeners'.
    pub(crate) fn from_upgraded(upgraded: Upgraded) -> Option<(Self, Bytes)> {
        let upgraded = match upgraded.downcast::<TokioIo<Paced<TcpStream>>>() {
            Ok(parts) => return Some((Self::Tcp(parts.io.into_inner().into_inner()?), parts.read_buf)),
            Err(upgraded) => upgraded,
        };
        let upgraded = match upgraded.downcast::<TokioIo<TlsStream<Paced<TcpStream>>>>() {
            Ok(parts) => {
                let (stream, session) = parts.io.into_inner().into_inner();
                let socket = TlsSocket::new(stream.into_inner()?, session);
                return Some((Self::Tls(Box::new(socket)), parts.read_buf));
            }
            Err(upgraded) => upgraded,
        };
        let parts = upgraded.downcast::<TokioIo<Paced<UnixStream>>>().ok()?;
        Some((Self::Unix(Box::new(parts.io.into_inner().into_inner()?)), parts.read_buf))
    }

    /// What it occupies besides what every connection does, and is counted with it, in bytes; `blocked` says whether it
    /// waits to write.
    pub(super) fn footprint(&self, blocked: bool) -> u32 {
        match self {
            Self::Tls(_) => TlsSocket::footprint(blocked),
            Self::Tcp(_) | Self::Unix(_) | Self::Streamed(_) => 0,
        }
    }

    /// True if the connection counts the buffers of the system. Those of a stream are counted with its HTTP connection.
    pub(super) fn is_counted_here(&self) -> bool {
        !matches!(self, Self::Streamed(_))
    }

    /// Lets more wait in the system for a client that reads quickly.
    pub(super) fn let_wait_more(&self) {
        match self {
            Self::Tcp(socket) => net::raise_unsent_limit(socket),
            Self::Tls(socket) => socket.let_wait_more(),
            Self::Unix(_) | Self::Streamed(_) => {}
        }
    }

    /// Bytes that were read and cannot be decrypted yet.
    pub(super) fn undecrypted(&self) -> usize {
        match self {
            Self::Tls(socket) => socket.undecrypted(),
            Self::Tcp(_) | Self::Unix(_) | Self::Streamed(_) => 0,
        }
    }

    /// The connection has a session.
    pub(super) fn open_session(&self) {
        if let Self::Streamed(socket) = self {
            socket.open_session();
        }
    }

    /// Makes the system drop its buffers for the socket once it is closed.
    pub(super) fn abort(&self) {
        match self {
            Self::Tcp(socket) => net::close_abruptly(socket),
            Self::Tls(socket) => socket.abort(),
            Self::Streamed(socket) => socket.abort(),
            // A Unix domain socket drops its buffers in any case.
            Self::Unix(_) => {}
        }
    }

    /// What it holds and counts by itself, in bytes.
    pub(super) fn held(&self) -> usize {
        match self {
            Self::Streamed(socket) => socket.held(),
            Self::Tcp(_) | Self::Unix(_) | Self::Tls(_) => 0,
        }
    }

    /// Bytes that the HTTP connection of a stream counts, and gives back with it.
    pub(super) fn beside(&self) -> usize {
        match self {
            Self::Streamed(socket) => socket.request(),
            Self::Tcp(_) | Self::Unix(_) | Self::Tls(_) => 0,
        }
    }

    /// Writes as many of the frames as there is room for, the last one perhaps in part.
    pub(super) fn try_write_vectored(&self, frames: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_write_vectored(frames),
            Self::Unix(socket) => socket.try_write_vectored(frames),
            Self::Tls(socket) => socket.try_write_vectored(frames),
            Self::Streamed(socket) => socket.try_write_vectored(frames),
        }
    }

    /// The same for one frame.
    pub(super) fn try_write(&self, frame: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_write(frame),
            Self::Unix(socket) => socket.try_write(frame),
            Self::Tls(socket) => socket.try_write_vectored(&[IoSlice::new(frame)]),
            Self::Streamed(socket) => socket.try_write_vectored(&[IoSlice::new(frame)]),
        }
    }

    /// Has the system take what was written; `WouldBlock` where some of it still has to wait.
    pub(super) fn try_flush(&self) -> io::Result<()> {
        match self {
            Self::Tls(socket) => socket.try_flush(),
            Self::Tcp(_) | Self::Unix(_) | Self::Streamed(_) => Ok(()),
        }
    }

    pub(super) fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(socket) => socket.poll_write_ready(context),
            Self::Unix(socket) => socket.poll_write_ready(context),
            Self::Tls(socket) => socket.poll_write_ready(context),
            Self::Streamed(socket) => socket.poll_write_ready(context),
        }
    }

    /// Reads what there is. 0 is the end.
    pub(super) fn try_read_buf(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_read_buf(buffer),
            Self::Unix(socket) => socket.try_read_buf(buffer),
            Self::Tls(socket) => socket.try_read_buf(buffer),
            Self::Streamed(socket) => socket.try_read_buf(buffer),
        }
    }

    pub(super) fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(socket) => socket.poll_read_ready(context),
            Self::Unix(socket) => socket.poll_read_ready(context),
            Self::Tls(socket) => socket.poll_read_ready(context),
            Self::Streamed(socket) => socket.poll_read_ready(context),
        }
    }

    /// Nothing more is written.
    pub(super) fn shut_down(&self) {
        match self {
            Self::Tcp(socket) => drop(SockRef::from(socket).shutdown(Shutdown::Write)),
            Self::Unix(socket) => drop(SockRef::from(&**socket).shutdown(Shutdown::Write)),
            Self::Tls(socket) => socket.shut_down(),
            Self::Streamed(socket) => socket.shut_down(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_no_larger_than_plain_tcp() {
        assert_eq!(size_of::<Socket>(), size_of::<TcpStream>());
    }
}
