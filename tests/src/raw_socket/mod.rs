//! A TCP connection to a relay without a protocol library, for tests that send bytes that no real client sends.
//!
//! This file connects and sends bytes; `messages` speaks Sealwire's protocol, `receive` reads frames, `http` reads
//! responses.

mod http;
mod messages;
mod presence;
mod receive;

pub use receive::{ConnectionEnd, Received};

use crate::upgrade_request;
use bytes::BytesMut;
use std::{
    collections::VecDeque,
    io::Write as _,
    net::{Shutdown, TcpStream},
    time::Duration,
};

/// The longest wait for one read or write, and for the relay to close a connection.
const IO_TIMEOUT: Duration = Duration::from_secs(30);

/// A TCP connection to a relay.
pub struct RawSocket {
    stream: TcpStream,
    /// Bytes that were received and not consumed yet.
    unread: BytesMut,
    /// Publications that arrived while the answer to a request was awaited.
    held: VecDeque<Received>,
    /// The number of the last request.
    requests: u32,
}

impl RawSocket {
    /// Connects to `127.0.0.1:port`.
    ///
    /// # Panics
    /// If the connection fails.
    #[must_use]
    pub fn connect(port: u16) -> Self {
        Self::over(TcpStream::connect(("127.0.0.1", port)).expect("the relay listens"))
    }

    /// Connects to `127.0.0.1:port`; `None` if the connection fails.
    #[must_use]
    pub fn try_connect(port: u16) -> Option<Self> {
        TcpStream::connect(("127.0.0.1", port)).ok().map(Self::over)
    }

    /// Wraps an established connection.
    ///
    /// # Panics
    /// If a socket option cannot be set.
    #[must_use]
    pub fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("a socket takes options");
        stream.set_read_timeout(Some(IO_TIMEOUT)).expect("a socket takes options");
        stream.set_write_timeout(Some(IO_TIMEOUT)).expect("a socket takes options");
        Self { stream, unread: BytesMut::new(), held: VecDeque::new(), requests: 0 }
    }

    /// Connects and upgrades to a WebSocket.
    ///
    /// # Panics
    /// If the relay does not upgrade.
    #[must_use]
    pub fn upgraded(port: u16) -> Self {
        let mut socket = Self::connect(port);
        socket.upgrade();
        socket
    }

    /// Performs the opening handshake.
    ///
    /// # Panics
    /// If the relay does not upgrade.
    pub fn upgrade(&mut self) {
        self.send(&upgrade_request(""));
        let head = self.response_head();
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    }

    /// Sends bytes. Returns false if the relay has closed the connection.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Sends bytes in pieces of `size`, with one write for each.
    pub fn send_chopped(&mut self, bytes: &[u8], size: usize) -> bool {
        bytes.chunks(size).all(|piece| self.send(piece))
    }

    /// Returns a second handle to the connection, for a thread that only writes.
    ///
    /// # Panics
    /// If the process has no file descriptor left.
    #[must_use]
    pub fn try_clone(&self) -> Self {
        Self::over(self.stream.try_clone().expect("the system has file descriptors"))
    }

    /// Sets the longest duration of a write.
    ///
    /// # Panics
    /// If the socket option cannot be set.
    pub fn set_write_timeout(&mut self, timeout: Duration) {
        self.stream.set_write_timeout(Some(timeout)).expect("a socket takes options");
    }

    /// Closes the connection with a TCP reset.
    ///
    /// # Panics
    /// If the socket option cannot be set.
    pub fn reset(self) {
        let socket = socket2::SockRef::from(&self.stream);
        socket.set_linger(Some(Duration::ZERO)).expect("a socket takes options");
    }

    /// Closes the sending direction; the relay may still respond.
    pub fn finish(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }
}
