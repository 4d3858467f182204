//! Reading from a WebSocket: frames, the end of the connection, and silence.

use super::{IO_TIMEOUT, RawSocket};
use bytes::Buf as _;
use sealwire_protocol::wire::{Pong, ToClient, ToRelay};
use std::{
    io::{ErrorKind, Read as _},
    time::{Duration, Instant},
};

/// The unit in which bytes are read.
const BUFFER: usize = 64 * 1024;

/// One thing that a relay sent on a WebSocket.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// A message of the protocol.
    Message(Box<ToClient>),
    /// A pong of RFC 6455 with its payload.
    Pong(Vec<u8>),
    /// A close frame with its code; 1005 if the frame has none.
    Close(u16),
    /// Anything else, described in words.
    Broken(String),
    /// The end of the connection, or 30 s without a byte.
    End,
}

/// The end of a connection: the code of `Goodbye`, the close code, and everything that arrived before them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConnectionEnd {
    /// The number of the code in `Goodbye`.
    pub goodbye: Option<u32>,
    /// The code of the close frame.
    pub close: Option<u16>,
    /// Everything else, in order.
    pub before: Vec<Received>,
}

impl RawSocket {
    /// Returns the next thing that arrives. Answers pings of the protocol and skips them.
    pub fn receive(&mut self) -> Received {
        self.held.pop_front().unwrap_or_else(|| self.receive_next())
    }

    /// Returns the next thing that arrives after those that are held back.
    pub(super) fn receive_next(&mut self) -> Received {
        loop {
            let Some((first, payload)) = self.read_frame() else { return Received::End };
            return match first {
                0x82 => match ToClient::from_bytes(payload.into()) {
                    Ok(ToClient::Ping(_)) => {
                        self.send_message(&ToRelay::Pong(Pong {}));
                        continue;
                    }
                    Ok(message) => Received::Message(Box::new(message)),
                    Err(error) => Received::Broken(error.to_string()),
                },
                0x8a => Received::Pong(payload),
                0x88 => Received::Close(payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code))),
                other => Received::Broken(format!("a frame that begins with {other:#x}")),
            };
        }
    }

    /// Reads until the relay closes the connection.
    ///
    /// # Panics
    /// If the connection stays open beyond 30 s.
    pub fn read_to_end(&mut self) -> ConnectionEnd {
        let (start, mut end) = (Instant::now(), ConnectionEnd::default());
        loop {
            assert!(start.elapsed() < IO_TIMEOUT, "the relay keeps the connection open: {end:?}");
            match self.receive() {
                Received::End => return end,
                Received::Close(code) => end.close = Some(code),
                Received::Message(message) => match *message {
                    ToClient::Goodbye(goodbye) => end.goodbye = Some(goodbye.code),
                    other => end.before.push(Received::Message(Box::new(other))),
                },
                other => end.before.push(other),
            }
        }
    }

    /// Returns whether nothing arrives for `duration`.
    pub fn is_quiet(&mut self, duration: Duration) -> bool {
        let _ = self.stream.set_read_timeout(Some(duration));
        let start = Instant::now();
        let received = self.receive();
        let _ = self.stream.set_read_timeout(Some(IO_TIMEOUT));
        received == Received::End && start.elapsed() >= duration
    }

    /// Returns whether no byte arrives within `duration`. Unlike [`Self::is_quiet`], it takes nothing that arrives.
    pub fn is_silent(&mut self, duration: Duration) -> bool {
        if !self.held.is_empty() || !self.unread.is_empty() {
            return false;
        }
        let _ = self.stream.set_read_timeout(Some(duration));
        let peeked = self.stream.peek(&mut [0]);
        let _ = self.stream.set_read_timeout(Some(IO_TIMEOUT));
        peeked.is_err()
    }

    /// Reads once and discards the bytes, waiting for at most `timeout`. Returns whether the connection is still open.
    pub fn discard(&mut self, timeout: Duration) -> bool {
        self.unread.clear();
        let mut buffer = [0; BUFFER];
        let _ = self.stream.set_read_timeout(Some(timeout));
        let read = self.stream.read(&mut buffer);
        let _ = self.stream.set_read_timeout(Some(IO_TIMEOUT));
        match read {
            Ok(count) => count > 0,
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }

    /// Reads and discards everything that arrives within `duration`. Returns whether the connection is still open.
    pub fn discard_for(&mut self, duration: Duration) -> bool {
        let start = Instant::now();
        let mut open = true;
        while open && start.elapsed() < duration {
            open = self.discard(Duration::from_millis(5));
        }
        open
    }

    /// Reads at most `max` bytes, and never more than 64. Returns false at the end of the connection.
    pub fn read_some(&mut self, max: usize) -> bool {
        let mut buffer = [0; 64];
        let max = max.min(buffer.len());
        matches!(self.stream.read(&mut buffer[..max]), Ok(1..))
    }

    /// Reads the next frame and returns its first byte and its payload.
    fn read_frame(&mut self) -> Option<(u8, Vec<u8>)> {
        self.fill(2).then_some(())?;
        let short = usize::from(self.unread[1] & 0x7f);
        let header = match short {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        self.fill(header).then_some(())?;
        let len = match header {
            2 => short,
            _ => self.unread[2..header].iter().fold(0, |len, byte| len << 8 | usize::from(*byte)),
        };
        self.fill(header + len).then_some(())?;
        let first = self.unread[0];
        self.unread.advance(header);
        Some((first, self.unread.split_to(len).to_vec()))
    }

    /// Reads until `len` bytes are unread. Returns false if the connection ends first.
    pub(super) fn fill(&mut self, len: usize) -> bool {
        let mut buffer = [0; BUFFER];
        while self.unread.len() < len {
            match self.stream.read(&mut buffer) {
                Ok(count @ 1..) => self.unread.extend_from_slice(&buffer[..count]),
                _ => return false,
            }
        }
        true
    }
}
