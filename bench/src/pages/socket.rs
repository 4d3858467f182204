//! A page's WebSocket without blocking: opening it, reading and writing frames, its end.

use crate::load::websocket;
use bytes::Bytes;
use mio::{Interest, Registry, Token, net::TcpStream};
use sealwire_protocol::wire::SUBPROTOCOL;
use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::SocketAddr,
};

/// The close code of a connection that ended without a close frame.
const ABNORMAL: u16 = 1006;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Connecting,
    AwaitingUpgrade,
    Open,
}

/// One thing that happens to a WebSocket.
pub(super) enum Input {
    Opened,
    Frame(Bytes),
    Closed(Option<u16>),
}

/// A WebSocket that is opening or open. Dropping it ends the connection.
pub(super) struct Socket {
    stream: TcpStream,
    phase: Phase,
    /// Bytes that the system has not accepted yet.
    out: Vec<u8>,
    /// Bytes of a frame whose end has not arrived.
    carry: Vec<u8>,
}

impl Socket {
    /// Begins to connect. The events of the socket have the token `index`.
    pub(super) fn open(registry: &Registry, index: usize, address: SocketAddr) -> io::Result<Self> {
        let mut stream = TcpStream::connect(address)?;
        registry.register(&mut stream, Token(index), Interest::READABLE | Interest::WRITABLE)?;
        let out = format!(
            "GET /v1/realtime HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
        );
        Ok(Self { stream, phase: Phase::Connecting, out: out.into_bytes(), carry: Vec::new() })
    }

    /// Sends a binary message. A failure arrives with the next event of the socket.
    pub(super) fn send(&mut self, message: &[u8]) {
        websocket::write(&mut self.out, websocket::BINARY, &[message]);
        let _ = self.flush();
    }

    /// Handles an event of the socket: writes what waits, and reads until nothing is left.
    pub(super) fn ready(&mut self, buffer: &mut [u8], inputs: &mut Vec<Input>) {
        let closed = match self.advance(buffer, inputs) {
            Ok(None) => return,
            Ok(Some(code)) => code,
            Err(_) => ABNORMAL,
        };
        inputs.push(Input::Closed(Some(closed)));
    }

    fn advance(&mut self, buffer: &mut [u8], inputs: &mut Vec<Input>) -> io::Result<Option<u16>> {
        if self.phase == Phase::Connecting {
            if let Some(error) = self.stream.take_error()? {
                return Err(error);
            }
            if self.stream.peer_addr().is_err() {
                return Ok(None);
            }
            self.stream.set_nodelay(true)?;
            self.phase = Phase::AwaitingUpgrade;
        }
        self.flush()?;
        loop {
            let carried = self.carry.len();
            buffer[..carried].copy_from_slice(&self.carry);
            let count = match self.stream.read(&mut buffer[carried..]) {
                Ok(0) => return Ok(Some(ABNORMAL)),
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            };
            self.carry.clear();
            if let Some(code) = self.read(&buffer[..carried + count], inputs)? {
                return Ok(Some(code));
            }
        }
    }

    /// Reads all complete frames and keeps the rest. Returns the code of a close frame.
    fn read(&mut self, filled: &[u8], inputs: &mut Vec<Input>) -> io::Result<Option<u16>> {
        let mut used = 0;
        if self.phase == Phase::AwaitingUpgrade {
            let Some(end) = filled.windows(4).position(|window| window == b"\r\n\r\n") else {
                self.carry.extend_from_slice(filled);
                return Ok(None);
            };
            if !filled.starts_with(b"HTTP/1.1 101") {
                return Err(ErrorKind::ConnectionRefused.into());
            }
            self.phase = Phase::Open;
            inputs.push(Input::Opened);
            used = end + 4;
        }
        while let Some(frame) = websocket::read(&filled[used..]) {
            used += frame.size;
            match frame.opcode {
                websocket::BINARY => inputs.push(Input::Frame(Bytes::copy_from_slice(frame.payload))),
                websocket::CLOSE => {
                    let code = frame.payload.first_chunk::<2>().map(|code| u16::from_be_bytes(*code));
                    return Ok(Some(code.unwrap_or(ABNORMAL)));
                }
                _ => {}
            }
        }
        self.carry.extend_from_slice(&filled[used..]);
        Ok(None)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.phase == Phase::Connecting {
            return Ok(());
        }
        let mut written = 0;
        while written < self.out.len() {
            match self.stream.write(&self.out[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        self.out.drain(..written);
        Ok(())
    }
}
