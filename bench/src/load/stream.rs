//! The stream of one connection to the server under test, plain or in TLS. Reads and writes do not block.

use super::tls;
use anyhow::Result;
use mio::{Interest, Registry, Token, net::TcpStream};
use rustls::{ClientConfig, ClientConnection};
use std::{
    io::{self, ErrorKind, Read, Write},
    sync::Arc,
};

/// A plain stream, or one in TLS.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
}

/// A stream in TLS. rustls holds the plaintext that is written before the end of the handshake.
pub(super) struct TlsStream {
    stream: TcpStream,
    session: ClientConnection,
}

impl Stream {
    /// Wraps a connected stream, in TLS if there is a configuration for it.
    pub(super) fn new(stream: TcpStream, tls: Option<&Arc<ClientConfig>>) -> Result<Self> {
        Ok(match tls {
            None => Self::Plain(stream),
            Some(config) => Self::Tls(Box::new(TlsStream { stream, session: tls::session(config)? })),
        })
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        registry.register(self.socket(), token, Interest::READABLE)
    }

    pub(super) fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        registry.reregister(self.socket(), token, interest)
    }

    /// Returns whether encrypted bytes wait for room in the socket.
    pub(super) fn has_unsent(&self) -> bool {
        matches!(self, Self::Tls(tls) if tls.session.wants_write())
    }

    fn socket(&mut self) -> &mut TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(tls) => &mut tls.stream,
        }
    }
}

impl Read for Stream {
    /// Reads until the buffer is full or the socket is empty.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(tls) => tls.send(),
        }
    }
}

impl TlsStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        loop {
            match self.session.reader().read(&mut buffer[filled..]) {
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            if filled == buffer.len() {
                return Ok(filled);
            }
            match self.session.read_tls(&mut self.stream) {
                Ok(0) => return Ok(filled),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock && filled > 0 => return Ok(filled),
                Err(error) => return Err(error),
            }
            self.session.process_new_packets().map_err(io::Error::other)?;
            // The rest of the handshake, and the plaintext that waited for its end.
            ignore_full(self.send())?;
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send()?;
        let count = self.session.writer().write(bytes)?;
        ignore_full(self.send())?;
        Ok(count)
    }

    /// Writes the encrypted bytes. Fails with `WouldBlock` if some are left.
    fn send(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            self.session.write_tls(&mut self.stream)?;
        }
        Ok(())
    }
}

/// Ignores that a socket has no room.
fn ignore_full(sent: io::Result<()>) -> io::Result<()> {
    sent.or_else(|error| if error.kind() == ErrorKind::WouldBlock { Ok(()) } else { Err(error) })
}
