//! The sockets of connections, for reads and writes that never wait: any task may write a frame at once, and only the
//! connection's own task waits. Most sockets are plain TCP; the other kinds do not make the type larger.

mod tls;

use crate::{http_connections::Paced, listener::net, sse::StreamedSocket, tls::TlsStream};
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

/// A socket after its opening handshake.
pub(crate) enum Socket {
    /// A WebSocket.
    Tcp(TcpStream),
    /// A WebSocket on a Unix domain socket.
    Unix(Box<UnixStream>),
    /// A WebSocket in TLS.
    Tls(Box<TlsSocket>),
    /// The fallback transport of SSE and POST requests, for networks that block WebSockets.
    Streamed(StreamedSocket),
}

impl Socket {
    /// Takes the socket out of an HTTP connection, with the bytes that were read after the handshake. Returns `None`
    /// for a connection that is not from one of the relay's listeners.
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

    /// Returns the bytes that the connection accounts for the socket, in addition to its base. `blocked` tells whether
    /// encrypted bytes may wait.
    pub(super) fn footprint(&self, blocked: bool) -> u32 {
        match self {
            Self::Tls(_) => TlsSocket::footprint(blocked),
            Self::Tcp(_) | Self::Unix(_) | Self::Streamed(_) => 0,
        }
    }

    /// Returns whether the connection accounts the kernel buffers. The HTTP connection of a stream accounts its own.
    pub(super) fn counts_kernel_buffers(&self) -> bool {
        !matches!(self, Self::Streamed(_))
    }

    /// Raises the limit of unsent bytes in the kernel, for a client that reads quickly.
    pub(super) fn raise_unsent_limit(&self) {
        match self {
            Self::Tcp(socket) => net::raise_unsent_limit(socket),
            Self::Tls(socket) => socket.raise_unsent_limit(),
            Self::Unix(_) | Self::Streamed(_) => {}
        }
    }

    /// Returns the bytes that were read and cannot be decrypted yet.
    pub(super) fn undecrypted(&self) -> usize {
        match self {
            Self::Tls(socket) => socket.undecrypted(),
            Self::Tcp(_) | Self::Unix(_) | Self::Streamed(_) => 0,
        }
    }

    /// Records that the connection has a session.
    pub(super) fn open_session(&self) {
        if let Self::Streamed(socket) = self {
            socket.open_session();
        }
    }

    /// Makes the kernel discard the socket's buffers when it is closed.
    pub(super) fn abort(&self) {
        match self {
            Self::Tcp(socket) => net::close_abruptly(socket),
            Self::Tls(socket) => socket.abort(),
            Self::Streamed(socket) => socket.abort(),
            // The kernel always discards the buffers of a closed Unix domain socket.
            Self::Unix(_) => {}
        }
    }

    /// Returns the bytes that the socket itself holds and accounts.
    pub(super) fn buffered_bytes(&self) -> usize {
        match self {
            Self::Streamed(socket) => socket.held(),
            Self::Tcp(_) | Self::Unix(_) | Self::Tls(_) => 0,
        }
    }

    /// Returns the bytes that the HTTP connection of a stream accounts, and releases with it.
    pub(super) fn http_bytes(&self) -> usize {
        match self {
            Self::Streamed(socket) => socket.request(),
            Self::Tcp(_) | Self::Unix(_) | Self::Tls(_) => 0,
        }
    }

    /// Writes as many frames as the socket accepts, possibly only part of the last one.
    pub(super) fn try_write_vectored(&self, frames: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_write_vectored(frames),
            Self::Unix(socket) => socket.try_write_vectored(frames),
            Self::Tls(socket) => socket.try_write_vectored(frames),
            Self::Streamed(socket) => socket.try_write_vectored(frames),
        }
    }

    /// Writes one frame, or part of it.
    pub(super) fn try_write(&self, frame: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_write(frame),
            Self::Unix(socket) => socket.try_write(frame),
            Self::Tls(socket) => socket.try_write_vectored(&[IoSlice::new(frame)]),
            Self::Streamed(socket) => socket.try_write_vectored(&[IoSlice::new(frame)]),
        }
    }

    /// Passes encrypted bytes to the kernel. Fails with `WouldBlock` if some of them must wait.
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

    /// Reads available bytes, and returns their number; 0 at the end of the stream.
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

    /// Closes the writing side.
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
