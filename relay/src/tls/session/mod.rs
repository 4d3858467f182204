//! A TLS session without buffers of its own. rustls decrypts and encrypts; the socket's owner moves the bytes. The
//! session allocates memory for bytes when they arrive or wait, and releases it with them, so that an idle connection
//! holds only its keys.

#[cfg(test)]
mod tests;

use bytes::{Buf as _, BytesMut};
use rustls::{
    Error, ServerConfig,
    server::{ServerConnectionData, UnbufferedServerConnection},
    unbuffered::{ConnectionState, EncodeError, EncryptError, WriteTraffic},
};
use std::{
    io::{self, IoSlice},
    sync::Arc,
};

/// The maximum bytes of plaintext that are encrypted before the socket has accepted them: one TLS record.
pub(crate) const WRITE_AHEAD: usize = 16 * 1024;
/// The bytes that are read from the socket at once.
const READ_BYTES: usize = 4 * 1024;
/// The maximum bytes of an incomplete record or handshake message. The longest record has 18 KiB.
const MAX_INCOMPLETE: usize = 24 * 1024;
/// The bytes by which a record is longer than its plaintext, rounded up.
const RECORD_OVERHEAD: usize = 64;

/// The server's side of a TLS connection.
pub(crate) struct TlsSession {
    connection: UnbufferedServerConnection,
    /// The start of a record or of a handshake message, whose rest has not arrived.
    incomplete: Vec<u8>,
    /// The decrypted bytes that the reader has not taken.
    plaintext: BytesMut,
    /// The encrypted bytes that the socket has not accepted.
    encrypted: BytesMut,
    /// True after the client's `close_notify`.
    is_ended: bool,
    /// True after an error, which rustls reports once.
    has_failed: bool,
}

impl TlsSession {
    /// Creates a session whose handshake has not begun.
    pub(crate) fn new(config: Arc<ServerConfig>) -> Result<Self, Error> {
        Ok(Self {
            connection: UnbufferedServerConnection::new(config)?,
            incomplete: Vec::new(),
            plaintext: BytesMut::new(),
            encrypted: BytesMut::new(),
            is_ended: false,
            has_failed: false,
        })
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Returns whether the client has sent all of its plaintext.
    pub(crate) fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Passes free memory to `read`, which returns the number of encrypted bytes that it has read into it, and decrypts
    /// them. Returns that number; 0 at the end of the stream. An error may leave an alert for the client to
    /// [`Self::send`].
    pub(crate) fn receive(&mut self, read: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> io::Result<usize> {
        let start = self.incomplete.len();
        self.incomplete.resize(start + READ_BYTES, 0);
        let count = read(&mut self.incomplete[start..]);
        self.incomplete.truncate(start + count.as_ref().unwrap_or(&0));
        if let Ok(1..) = count {
            self.advance(|_, _| Ok(()))?;
        }
        if self.incomplete.is_empty() {
            self.incomplete = Vec::new();
        }
        if self.incomplete.len() > MAX_INCOMPLETE {
            return Err(invalid("the client sends a TLS message that is too long"));
        }
        count
    }

    /// Moves decrypted bytes to `buffer`, which has room for `max` of them. Returns their number.
    pub(crate) fn take_plaintext(&mut self, max: usize, put: impl FnOnce(&[u8])) -> usize {
        let count = self.plaintext.len().min(max);
        put(&self.plaintext[..count]);
        self.plaintext.advance(count);
        release(&mut self.plaintext);
        count
    }

    pub(crate) fn has_plaintext(&self) -> bool {
        !self.plaintext.is_empty()
    }

    /// Encrypts at most [`WRITE_AHEAD`] bytes of frames. Returns their number. The caller first [sends](Self::send) what
    /// is already encrypted.
    pub(crate) fn encrypt(&mut self, frames: &[IoSlice<'_>]) -> io::Result<usize> {
        match frames {
            [frame] => self.encrypt_record(&frame[..frame.len().min(WRITE_AHEAD)]),
            _ => {
                let len = frames.iter().map(|frame| frame.len()).sum::<usize>().min(WRITE_AHEAD);
                let mut plain = Vec::with_capacity(len);
                for frame in frames {
                    plain.extend_from_slice(&frame[..frame.len().min(len - plain.len())]);
                }
                self.encrypt_record(&plain)
            }
        }
    }

    /// Encrypts `close_notify`, unless it was encrypted before.
    pub(crate) fn close(&mut self) {
        // Without a handshake there is nothing to close.
        let _ = self.when_ready(|traffic, encrypted| {
            append(encrypted, RECORD_OVERHEAD, |space| Ok(traffic.queue_close_notify(space)?))
        });
    }

    /// Passes encrypted bytes to `write` until all are written. Fails with `WouldBlock` if some are left.
    pub(crate) fn send(&mut self, mut write: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<()> {
        while !self.encrypted.is_empty() {
            match write(&self.encrypted) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.encrypted.advance(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        release(&mut self.encrypted);
        Ok(())
    }

    fn encrypt_record(&mut self, plain: &[u8]) -> io::Result<usize> {
        self.when_ready(|traffic, encrypted| {
            append(encrypted, plain.len() + RECORD_OVERHEAD, |space| Ok(traffic.encrypt(plain, space)?))
        })?;
        Ok(plain.len())
    }

    /// Calls `write` once the session may send application data.
    fn when_ready(
        &mut self,
        write: impl FnOnce(&mut Traffic<'_>, &mut BytesMut) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut write = Some(write);
        self.advance(|traffic, encrypted| write.take().map_or(Ok(()), |write| write(traffic, encrypted)))?;
        if write.is_some() { Err(invalid("the TLS session cannot send")) } else { Ok(()) }
    }

    /// Handles the received records until more bytes are needed. Calls `when_ready` if the session may then send
    /// application data.
    fn advance(
        &mut self,
        mut when_ready: impl FnMut(&mut Traffic<'_>, &mut BytesMut) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.has_failed {
            return Err(invalid("the TLS session has failed"));
        }
        let mut handled = 0;
        loop {
            let status = self.connection.process_tls_records(&mut self.incomplete[handled..]);
            let mut discard = status.discard;
            let is_done = match status.state {
                Ok(ConnectionState::ReadTraffic(mut records)) => {
                    while let Some(record) = records.next_record() {
                        let record = record.map_err(invalid)?;
                        discard += record.discard;
                        self.plaintext.extend_from_slice(record.payload);
                    }
                    false
                }
                Ok(ConnectionState::EncodeTlsData(mut message)) => {
                    append(&mut self.encrypted, RECORD_OVERHEAD, |space| Ok(message.encode(space)?))?;
                    false
                }
                // The bytes are in `encrypted`, in the order in which the client must get them.
                Ok(ConnectionState::TransmitTlsData(transmission)) => {
                    transmission.done();
                    false
                }
                Ok(ConnectionState::PeerClosed) => {
                    self.is_ended = true;
                    false
                }
                Ok(ConnectionState::WriteTraffic(mut traffic)) => {
                    when_ready(&mut traffic, &mut self.encrypted)?;
                    true
                }
                Ok(ConnectionState::BlockedHandshake | ConnectionState::Closed) => true,
                Ok(_) => return Err(invalid("the client sent early data, which the relay does not accept")),
                Err(error) => {
                    self.has_failed = true;
                    self.take_alert(handled + discard);
                    return Err(invalid(error));
                }
            };
            handled += discard;
            if is_done {
                self.incomplete.drain(..handled);
                return Ok(());
            }
        }
    }

    /// Encrypts the alert that rustls sends after an error. The first `handled` bytes are those of handled records.
    fn take_alert(&mut self, handled: usize) {
        let status = self.connection.process_tls_records(&mut self.incomplete[handled..]);
        if let Ok(ConnectionState::EncodeTlsData(mut alert)) = status.state {
            let _ = append(&mut self.encrypted, RECORD_OVERHEAD, |space| Ok(alert.encode(space)?));
        }
    }
}

type Traffic<'a> = WriteTraffic<'a, ServerConnectionData>;

/// The reason for which rustls wrote nothing.
enum Unwritten {
    /// The number of bytes that it needs.
    TooSmall(usize),
    Failed(io::Error),
}

impl From<EncodeError> for Unwritten {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::InsufficientSize(error) => Self::TooSmall(error.required_size),
            error => Self::Failed(io::Error::other(error)),
        }
    }
}

impl From<EncryptError> for Unwritten {
    fn from(error: EncryptError) -> Self {
        match error {
            EncryptError::InsufficientSize(error) => Self::TooSmall(error.required_size),
            error => Self::Failed(io::Error::other(error)),
        }
    }
}

/// Appends what `put` writes, for which `size` bytes suffice unless rustls asks for more.
fn append(
    encrypted: &mut BytesMut,
    mut size: usize,
    mut put: impl FnMut(&mut [u8]) -> Result<usize, Unwritten>,
) -> io::Result<()> {
    let start = encrypted.len();
    let written = loop {
        encrypted.resize(start + size, 0);
        match put(&mut encrypted[start..]) {
            Ok(written) => break Ok(written),
            Err(Unwritten::TooSmall(required)) if required > size => size = required,
            Err(Unwritten::TooSmall(_)) => break Err(invalid("rustls asks for less space than it has")),
            Err(Unwritten::Failed(error)) => break Err(error),
        }
    };
    encrypted.truncate(start + written.as_ref().unwrap_or(&0));
    written.map(drop)
}

/// Releases the memory of an empty buffer.
fn release(buffer: &mut BytesMut) {
    if buffer.is_empty() {
        *buffer = BytesMut::new();
    }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
