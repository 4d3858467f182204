//! One WebSocket connection to the server under test: its handshake, its buffers and the check that messages arrive in
//! order. [`super::Fleet`] owns the connections and polls them.

use super::{
    dialect::{Dialect, ReadState, Received},
    roles::{Delivery, Role},
    stream::Stream,
    websocket,
};
use anyhow::{Result, bail, ensure};
use sealwire_protocol::wire::Position;
use std::io::{ErrorKind, Read as _, Write as _};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    AwaitingUpgrade,
    AwaitingReady,
    Ready,
}

/// A connection to the server under test.
pub(super) struct Connection {
    pub(super) stream: Stream,
    pub(super) role: Role,
    /// Bytes that the socket has not accepted yet.
    pub(super) out: Vec<u8>,
    pub(super) state: ReadState,
    phase: Phase,
    number: usize,
    /// The position that a resumed subscription starts from.
    since: Option<Position>,
    /// The beginning of a frame whose end has not arrived.
    carry: Vec<u8>,
    /// The number of the next message.
    expected: u64,
}

impl Connection {
    /// A connection whose opening handshake has been sent.
    pub(super) fn new(
        stream: Stream,
        number: usize,
        role: Role,
        since: Option<Position>,
        expected: u64,
    ) -> Self {
        Self {
            stream,
            role,
            out: Vec::new(),
            state: ReadState { position: since, ..ReadState::default() },
            phase: Phase::AwaitingUpgrade,
            number,
            since,
            carry: Vec::new(),
            expected,
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.phase == Phase::Ready
    }

    /// Writes the queued bytes; returns whether the socket accepted all of them.
    pub(super) fn flush(&mut self) -> Result<bool> {
        let mut written = 0;
        while written < self.out.len() {
            match self.stream.write(&self.out[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        self.out.drain(..written);
        match self.stream.flush() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error.into()),
            _ => Ok(!self.has_unsent()),
        }
    }

    /// Returns whether bytes wait for room in the socket.
    pub(super) fn has_unsent(&self) -> bool {
        !self.out.is_empty() || self.stream.has_unsent()
    }

    /// Reads until the socket is empty and passes every delivery to `delivered`.
    pub(super) fn read(
        &mut self,
        dialect: Dialect,
        buffer: &mut [u8],
        delivered: &mut impl FnMut(Delivery),
    ) -> Result<()> {
        loop {
            let carried = self.carry.len();
            buffer[..carried].copy_from_slice(&self.carry);
            self.carry.clear();
            let count = match self.stream.read(&mut buffer[carried..]) {
                Ok(0) => bail!("the server closed the connection"),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.carry.extend_from_slice(&buffer[..carried]);
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            let filled = &buffer[..carried + count];
            let mut used = 0;
            if self.phase == Phase::AwaitingUpgrade {
                used = self.read_upgrade(dialect, filled)?;
            }
            while let Some(frame) =
                websocket::read(&filled[used..]).filter(|_| self.phase != Phase::AwaitingUpgrade)
            {
                used += frame.size;
                match frame.opcode {
                    websocket::TEXT | websocket::BINARY => {
                        self.handle_message(dialect, frame.payload, delivered)?;
                    }
                    websocket::CLOSE => bail!("the server sent a close frame: {:?}", frame.payload),
                    websocket::PING => {
                        bail!("the server sent a WebSocket ping, which no server under test should do")
                    }
                    _ => {}
                }
            }
            self.carry.extend_from_slice(&filled[used..]);
            if self.carry.is_empty() && self.carry.capacity() > 0 {
                self.carry = Vec::new();
            }
            // A read that does not fill the buffer has emptied the socket.
            if carried + count < buffer.len() {
                return Ok(());
            }
        }
    }

    fn read_upgrade(&mut self, dialect: Dialect, filled: &[u8]) -> Result<usize> {
        let Some(end) = filled.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(0) };
        ensure!(
            filled.starts_with(b"HTTP/1.1 101"),
            "the server refused the WebSocket upgrade: {}",
            String::from_utf8_lossy(&filled[..filled.len().min(300)])
        );
        self.phase = match dialect.opening(self.number, self.role, self.since)? {
            Some(opening) => {
                self.out.extend_from_slice(&opening);
                Phase::AwaitingReady
            }
            None => Phase::Ready,
        };
        self.flush()?;
        self.out = Vec::new();
        Ok(end + 4)
    }

    fn handle_message(
        &mut self,
        dialect: Dialect,
        message: &[u8],
        delivered: &mut impl FnMut(Delivery),
    ) -> Result<()> {
        let Self { stream, role, phase, expected, state, .. } = self;
        dialect.read(state, *role, message, |received| {
            match received {
                Received::Delivery(sequence) => {
                    if *role == Role::Listener {
                        delivered(Delivery { channel: 0, sequence });
                        return Ok(());
                    }
                    ensure!(
                        sequence == *expected,
                        "expected message {expected}, received {sequence}: a message was lost, repeated or reordered"
                    );
                    *expected += 1;
                    if let Role::Subscriber(channel) = *role {
                        delivered(Delivery { channel, sequence });
                    }
                }
                Received::Ready => *phase = Phase::Ready,
                Received::Reply(bytes) => stream.write_all(&bytes)?,
                Received::Nothing => {}
            }
            Ok(())
        })
    }
}
