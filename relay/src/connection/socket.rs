//! What a connection reads from and writes to, without waiting.

use crate::streaming::StreamedSocket;
use bytes::BytesMut;
use socket2::SockRef;
use std::{
    future::poll_fn,
    io::{self, IoSlice},
    net::Shutdown,
    task::{Context, Poll},
};
use tokio::net::TcpStream;

/// A socket after its opening handshake.
pub(crate) enum Socket {
    /// A WebSocket.
    Tcp(TcpStream),
    /// A client whose network lets no WebSocket through.
    Streamed(StreamedSocket),
}

impl Socket {
    /// Writes as many of the frames as there is room for, the last one perhaps in part.
    pub(super) fn try_write_vectored(&self, frames: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_write_vectored(frames),
            Self::Streamed(socket) => socket.try_write_vectored(frames),
        }
    }

    /// The same for one frame.
    pub(super) fn try_write(&self, frame: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_write(frame),
            Self::Streamed(socket) => socket.try_write_vectored(&[IoSlice::new(frame)]),
        }
    }

    pub(super) fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(socket) => socket.poll_write_ready(context),
            Self::Streamed(socket) => socket.poll_write_ready(context),
        }
    }

    pub(super) async fn writable(&self) -> io::Result<()> {
        poll_fn(|context| self.poll_write_ready(context)).await
    }

    /// Reads what there is. 0 is the end.
    pub(super) fn try_read_buf(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_read_buf(buffer),
            Self::Streamed(socket) => socket.try_read_buf(buffer),
        }
    }

    pub(super) fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(socket) => socket.poll_read_ready(context),
            Self::Streamed(socket) => socket.poll_read_ready(context),
        }
    }

    pub(super) async fn readable(&self) -> io::Result<()> {
        poll_fn(|context| self.poll_read_ready(context)).await
    }

    /// Nothing more is written.
    pub(super) fn shut_down(&self) {
        match self {
            Self::Tcp(socket) => drop(SockRef::from(socket).shutdown(Shutdown::Write)),
            Self::Streamed(socket) => socket.shut_down(),
        }
    }
}
