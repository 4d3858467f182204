//! TLS on a socket, driven by readiness and from several threads. What rustls took is encrypted and leaves before
//! anything more is handed to it, so that what waits for a slow client waits in the connection's queue, in plain and
//! shared with all others; the encrypted rest is at most [`WRITE_AHEAD`].

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

/// Most plaintext that is encrypted before the socket has taken it, in bytes: one record of TLS.
const WRITE_AHEAD: usize = 16 * 1024;
/// Most bytes from a client without any plaintext among them: the longest record of TLS, and messages of TLS itself. With an
/// unfinished message of TLS, a client could make the session hold 64 KiB.
const MAX_UNDECRYPTED: usize = 24 * 1024;
/// What a session occupies that waits for nothing, in bytes; measured, and rounded up.
pub(crate) const SESSION: u32 = 8 * 1024;

pub(crate) struct TlsSocket {
    stream: TcpStream,
    session: Mutex<ServerConnection>,
    /// There may be plaintext that no readiness of the socket tells of.
    decrypted: AtomicBool,
    /// Bytes that were read since the last plaintext.
    undecrypted: AtomicU32,
}

impl TlsSocket {
    /// Goes on with a session after its handshake.
    pub(super) fn new(stream: TcpStream, mut session: ServerConnection) -> Self {
        session.set_buffer_limit(Some(WRITE_AHEAD));
        let (decrypted, undecrypted) = (AtomicBool::new(true), AtomicU32::new(0));
        Self { stream, session: Mutex::new(session), decrypted, undecrypted }
    }

    /// What it occupies, in bytes; `blocked` says whether it waits to write.
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

    /// Reads at most one piece from the socket: `WouldBlock` says that no plaintext came of it, not that the socket is
    /// empty.
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
        // An alert, a ticket, a new key: small, and what the socket does not take now goes with the next frame.
        let _ = flush(&mut session, &self.stream);
        processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let read = take_plaintext(&mut session, buffer);
        self.decrypted.store(read.is_ok(), Ordering::Relaxed);
        if read.is_ok() {
            self.undecrypted.store(0, Ordering::Relaxed);
        } else if undecrypted > MAX_UNDECRYPTED {
            let message = "the client sends TLS and no data in it";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        read
    }

    /// Bytes that were read since the last plaintext.
    pub(super) fn undecrypted(&self) -> usize {
        self.undecrypted.load(Ordering::Relaxed) as usize
    }

    pub(super) fn let_wait_more(&self) {
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

    /// Says goodbye in the terms of TLS, as far as the socket takes it.
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

/// Moves plaintext into the spare room; 0 after the client said goodbye.
fn take_plaintext(session: &mut ServerConnection, buffer: &mut BytesMut) -> io::Result<usize> {
    let mut reader = session.reader();
    let plaintext = reader.fill_buf()?;
    let count = plaintext.len().min(buffer.capacity() - buffer.len());
    buffer.extend_from_slice(&plaintext[..count]);
    reader.consume(count);
    Ok(count)
}

/// Writes what is encrypted; `WouldBlock` where some of it is left.
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

/// The socket for rustls: reads and writes at once, or not at all.
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
