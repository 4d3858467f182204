//! TLS on a non-blocking socket that several threads use. Encrypted bytes are written to the socket before more
//! plaintext is passed to rustls, so that frames for a slow client wait in the connection's queue, unencrypted and
//! shared with other queues. At most [`WRITE_AHEAD`] bytes wait encrypted.

use crate::listener::net;
use bytes::BytesMut;
use rustls::ServerConnection;
use socket2::SockRef;
use std::{
    io::{self, BufRead as _, IoSlice, Read, Write},
    net::Shutdown,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::{Context, Poll},
};
use tokio::net::TcpStream;

/// The maximum bytes of plaintext that are encrypted before the socket has accepted them: one TLS record.
const WRITE_AHEAD: usize = 16 * 1024;
/// The maximum bytes from a client that yield no plaintext: the longest TLS record, and handshake messages. Without the
/// limit, a client could make the session hold 64 KiB with an incomplete handshake message.
const MAX_UNDECRYPTED: usize = 24 * 1024;
/// The bytes of an idle TLS session; measured and rounded up.
pub(crate) const SESSION: u32 = 8 * 1024;

/// A TLS connection after its handshake.
pub(crate) struct TlsSocket {
    stream: TcpStream,
    session: Mutex<ServerConnection>,
    /// True if the session may hold plaintext, which the readiness of the socket does not show.
    decrypted: AtomicBool,
    /// The bytes that were read since the last plaintext.
    undecrypted: AtomicU32,
}

impl TlsSocket {
    /// Takes over a session after its handshake.
    pub(super) fn new(stream: TcpStream, mut session: ServerConnection) -> Self {
        session.set_buffer_limit(Some(WRITE_AHEAD));
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
        let read = take_plaintext(&mut session, buffer);
        if !matches!(&read, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
            return read;
        }
        self.decrypted.store(false, Ordering::Relaxed);
        let read = session.read_tls(&mut Raw(&self.stream))?;
        let undecrypted = self.undecrypted().saturating_add(read);
        self.undecrypted.store(u32::try_from(undecrypted).unwrap_or(u32::MAX), Ordering::Relaxed);
        let processed = session.process_new_packets();
        // rustls may answer with an alert, a ticket or a key update. If the socket is full, it leaves with the next
        // frame.
        let _ = flush(&mut session, &self.stream);
        processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let read = take_plaintext(&mut session, buffer);
        self.decrypted.store(read.is_ok(), Ordering::Relaxed);
        if read.is_ok() {
            self.undecrypted.store(0, Ordering::Relaxed);
        } else if undecrypted > MAX_UNDECRYPTED {
            let message = "the client sends TLS records without application data";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        read
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
        flush(&mut session, &self.stream)?;
        let written = session.writer().write_vectored(frames)?;
        match flush(&mut session, &self.stream) {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(written),
        }
    }

    pub(super) fn try_flush(&self) -> io::Result<()> {
        flush(&mut self.session(), &self.stream)
    }

    /// Sends `close_notify`, as far as the socket accepts it, and closes the writing side.
    pub(super) fn shut_down(&self) {
        let mut session = self.session();
        session.send_close_notify();
        let _ = flush(&mut session, &self.stream);
        let _ = SockRef::from(&self.stream).shutdown(Shutdown::Write);
    }

    fn session(&self) -> MutexGuard<'_, ServerConnection> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Moves plaintext into the spare capacity of `buffer`. Returns the number of bytes; 0 after the client's
/// `close_notify`.
fn take_plaintext(session: &mut ServerConnection, buffer: &mut BytesMut) -> io::Result<usize> {
    let mut reader = session.reader();
    let plaintext = reader.fill_buf()?;
    let count = plaintext.len().min(buffer.capacity() - buffer.len());
    buffer.extend_from_slice(&plaintext[..count]);
    reader.consume(count);
    Ok(count)
}

/// Writes encrypted bytes. Fails with `WouldBlock` if some are left.
fn flush(session: &mut ServerConnection, stream: &TcpStream) -> io::Result<()> {
    while session.wants_write() {
        match session.write_tls(&mut Raw(stream)) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The socket as rustls uses it, with non-blocking reads and writes.
struct Raw<'a>(&'a TcpStream);

impl Read for Raw<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for Raw<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
