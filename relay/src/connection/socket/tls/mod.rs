//! TLS on a non-blocking socket that several threads use. Encrypted bytes are written to the socket before more
//! plaintext is passed to rustls, so that frames for a slow client wait in the connection's queue, unencrypted and
//! shared with other queues. At most [`WRITE_AHEAD`] bytes wait encrypted.

use crate::{
    listener::net,
    tls::{TlsSession, WRITE_AHEAD},
};
use bytes::BytesMut;
use socket2::SockRef;
use std::{
    io::{self, IoSlice},
    net::Shutdown,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::{Context, Poll},
};
use tokio::net::TcpStream;

/// The maximum bytes from a client that yield no plaintext: the longest TLS record, and handshake messages. A client that
/// sends such records without end costs time, and none of its limits counts them.
const MAX_UNDECRYPTED: usize = 24 * 1024;
/// The bytes of an idle TLS session; measured and rounded up.
pub(crate) const SESSION: u32 = 4 * 1024;

/// A TLS connection after its handshake.
pub(crate) struct TlsSocket {
    stream: TcpStream,
    session: Mutex<TlsSession>,
    /// True if the session may hold plaintext, which the readiness of the socket does not show.
    decrypted: AtomicBool,
    /// The bytes that were read since the last plaintext.
    undecrypted: AtomicU32,
}

impl TlsSocket {
    /// Takes over a session after its handshake.
    pub(super) fn new(stream: TcpStream, session: TlsSession) -> Self {
        let (decrypted, undecrypted) = (AtomicBool::new(true), AtomicU32::new(0));
        Self { stream, session: Mutex::new(session), decrypted, undecrypted }
    }

    /// Returns the bytes of a session. `blocked` tells whether encrypted bytes may wait.
    pub(super) fn footprint(blocked: bool) -> u32 {
        SESSION + if blocked { WRITE_AHEAD as u32 } else { 0 }
    }

    pub(super) fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_write_ready(context)
    }

    pub(super) fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.decrypted.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        self.stream.poll_read_ready(context)
    }

    /// Reads from the socket at most once. `WouldBlock` means that the read yielded no plaintext, not that the socket
    /// is empty.
    pub(super) fn try_read_buf(&self, buffer: &mut BytesMut) -> io::Result<usize> {
        let mut session = self.session();
        if session.has_plaintext() || session.is_ended() {
            return Ok(self.take_plaintext(&mut session, buffer));
        }
        self.decrypted.store(false, Ordering::Relaxed);
        let read = session.receive(|space| self.stream.try_read(space));
        // rustls may answer with an alert, a ticket or a key update. If the socket is full, it leaves with the next
        // frame.
        let _ = self.flush(&mut session);
        let read = read?;
        if session.has_plaintext() || session.is_ended() {
            self.undecrypted.store(0, Ordering::Relaxed);
            return Ok(self.take_plaintext(&mut session, buffer));
        }
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let undecrypted = self.undecrypted().saturating_add(read);
        self.undecrypted.store(u32::try_from(undecrypted).unwrap_or(u32::MAX), Ordering::Relaxed);
        if undecrypted > MAX_UNDECRYPTED {
            let message = "the client sends TLS records without application data";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// Returns the bytes that were read since the last plaintext.
    pub(super) fn undecrypted(&self) -> usize {
        self.undecrypted.load(Ordering::Relaxed) as usize
    }

    pub(super) fn raise_unsent_limit(&self) {
        net::raise_unsent_limit(&self.stream);
    }

    pub(super) fn abort(&self) {
        net::close_abruptly(&self.stream);
    }

    pub(super) fn try_write_vectored(&self, frames: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut session = self.session();
        self.flush(&mut session)?;
        let written = session.encrypt(frames)?;
        match self.flush(&mut session) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(written),
        }
    }

    pub(super) fn try_flush(&self) -> io::Result<()> {
        self.flush(&mut self.session())
    }

    /// Sends `close_notify`, as far as the socket accepts it, and closes the writing side.
    pub(super) fn shut_down(&self) {
        let mut session = self.session();
        session.close();
        let _ = self.flush(&mut session);
        let _ = SockRef::from(&self.stream).shutdown(Shutdown::Write);
    }

    /// Moves plaintext into the spare capacity of `buffer`. Returns the number of bytes; 0 after the client's
    /// `close_notify`.
    fn take_plaintext(&self, session: &mut TlsSession, buffer: &mut BytesMut) -> usize {
        let room = buffer.capacity() - buffer.len();
        let count = session.take_plaintext(room, |bytes| buffer.extend_from_slice(bytes));
        self.decrypted.store(session.has_plaintext() || session.is_ended(), Ordering::Relaxed);
        count
    }

    /// Writes encrypted bytes. Fails with `WouldBlock` if some are left.
    fn flush(&self, session: &mut TlsSession) -> io::Result<()> {
        session.send(|bytes| self.stream.try_write(bytes))
    }

    fn session(&self) -> MutexGuard<'_, TlsSession> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
