//! A connection of bytes, without a library that would keep it honest: for whoever sends what no client would.

use crate::{frame, upgrade_request};
use bytes::{Buf as _, BytesMut};
use sealwire_protocol::wire::{Channel, Hello, Pong, Publish, Since, Subscribe, ToClient, ToRelay};
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a relay sent on a WebSocket.
#[derive(Clone, Debug, PartialEq)]
pub enum Received {
    /// A message of the protocol.
    Message(Box<ToClient>),
    /// A pong of RFC 6455 with its payload.
    Pong(Vec<u8>),
    /// A close frame with its code; 1005 where it had none.
    Close(u16),
    /// Bytes that are none of these.
    Broken(String),
    /// The connection is over.
    End,
}

/// How a connection ended: the code of `Goodbye`, the close code, and whether anything else came before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Farewell {
    /// Number of the code in `Goodbye`.
    pub goodbye: Option<u32>,
    /// Code of the close frame.
    pub close: Option<u16>,
    /// Everything else, in order.
    pub before: Vec<Received>,
}

/// A TCP connection to a relay.
pub struct RawSocket {
    stream: TcpStream,
    unread: BytesMut,
    requests: u32,
}

impl RawSocket {
    /// Connects to `127.0.0.1:port`.
    ///
    /// # Panics
    /// Where nobody listens.
    #[must_use]
    pub fn connect(port: u16) -> Self {
        Self::over(TcpStream::connect(("127.0.0.1", port)).expect("the relay listens"))
    }

    /// A connection that was made already.
    ///
    /// # Panics
    /// Where the socket takes no options.
    #[must_use]
    pub fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("a socket takes options");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket takes options");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket takes options");
        Self { stream, unread: BytesMut::new(), requests: 0 }
    }

    /// Connects to `127.0.0.1:port`, where something listens.
    #[must_use]
    pub fn try_connect(port: u16) -> Option<Self> {
        TcpStream::connect(("127.0.0.1", port)).ok().map(Self::over)
    }

    /// Connects, upgrades and opens a session, where the relay lets it.
    #[must_use]
    pub fn try_open(port: u16, token: &str) -> Option<Self> {
        let mut socket = Self::try_connect(port)?;
        socket.send(&upgrade_request(""));
        socket.head().starts_with("HTTP/1.1 101").then_some(())?;
        socket.message(&ToRelay::Hello(Hello { token: token.into() }));
        let welcome = matches!(socket.receive(), Received::Message(message) if matches!(*message, ToClient::Welcome(_)));
        welcome.then_some(socket)
    }

    /// Connects and upgrades to a WebSocket.
    ///
    /// # Panics
    /// Where the relay does not upgrade.
    #[must_use]
    pub fn upgraded(port: u16) -> Self {
        let mut socket = Self::connect(port);
        socket.upgrade();
        socket
    }

    /// The opening handshake, which must succeed.
    ///
    /// # Panics
    /// Where the relay does not upgrade.
    pub fn upgrade(&mut self) {
        self.send(&upgrade_request(""));
        let head = self.head();
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    }

    /// Connects, upgrades and opens a session.
    ///
    /// # Panics
    /// Where the relay does not answer `Welcome`.
    #[must_use]
    pub fn open(port: u16, token: &str) -> Self {
        let mut socket = Self::upgraded(port);
        socket.hello(token);
        socket
    }

    /// Opens a session, which must succeed.
    ///
    /// # Panics
    /// Where the relay does not answer `Welcome`.
    pub fn hello(&mut self, token: &str) {
        self.message(&ToRelay::Hello(Hello { token: token.into() }));
        match self.expect() {
            ToClient::Welcome(_) => {}
            other => panic!("the relay answered {other:?} to Hello"),
        }
    }

    /// Sends bytes; whether the relay took them, which it need not if it has closed.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Sends bytes in pieces of `size`, each a write of its own.
    pub fn send_chopped(&mut self, bytes: &[u8], size: usize) -> bool {
        bytes.chunks(size).all(|piece| self.send(piece))
    }

    /// Sends a message of the protocol in one frame.
    pub fn message(&mut self, message: &ToRelay) -> bool {
        self.send(&frame(0x82, &message.to_bytes()))
    }

    /// The same connection, for a thread that only writes.
    ///
    /// # Panics
    /// Where the system has no more file descriptors.
    #[must_use]
    pub fn try_clone(&self) -> Self {
        Self::over(self.stream.try_clone().expect("the system has file descriptors"))
    }

    /// How long a write may take.
    ///
    /// # Panics
    /// Where the socket takes no options.
    pub fn write_timeout(&mut self, patience: Duration) {
        self.stream.set_write_timeout(Some(patience)).expect("a socket takes options");
    }

    /// Breaks the connection off, so that the relay gets a reset.
    ///
    /// # Panics
    /// Where the socket takes no options.
    pub fn reset(self) {
        let socket = socket2::SockRef::from(&self.stream);
        socket.set_linger(Some(Duration::ZERO)).expect("a socket takes options");
    }

    /// Nothing follows; the relay may still answer.
    pub fn finish(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Write);
    }

    /// The number of the next request.
    pub fn request(&mut self) -> u32 {
        self.requests += 1;
        self.requests
    }

    /// Asks to subscribe and returns the answer.
    ///
    /// # Panics
    /// Where the connection ends.
    pub fn subscribe(&mut self, channel: Channel, since: Option<Since>) -> ToClient {
        let request = self.request();
        self.message(&ToRelay::Subscribe(Subscribe {
            request,
            channel: Some(channel),
            since,
            events: vec![],
        }));
        self.expect()
    }

    /// Asks to publish and returns the answer.
    ///
    /// # Panics
    /// Where the connection ends.
    pub fn publish(&mut self, channel: Channel, sealed: Vec<u8>, id: [u8; 16]) -> ToClient {
        let message = self.publication(channel, sealed, id);
        self.message(&message);
        self.expect()
    }

    /// A `Publish` with the number of the next request.
    pub fn publication(&mut self, channel: Channel, sealed: Vec<u8>, id: [u8; 16]) -> ToRelay {
        let request = self.request();
        let (event, id) = (String::new(), id.to_vec().into());
        ToRelay::Publish(Publish {
            request,
            channel: Some(channel),
            event,
            sealed: sealed.into(),
            id,
            follows: 0,
        })
    }

    /// The next message of the protocol.
    ///
    /// # Panics
    /// Where something else comes.
    pub fn expect(&mut self) -> ToClient {
        match self.receive() {
            Received::Message(message) => *message,
            other => panic!("{other:?} came instead of a message"),
        }
    }

    /// Reads and throws away what comes within `time`; whether the connection is still open.
    pub fn discard_for(&mut self, time: Duration) -> bool {
        let start = Instant::now();
        let mut open = true;
        while open && start.elapsed() < time {
            open = self.discard(Duration::from_millis(5));
        }
        open
    }

    /// Whether nothing comes for `quiet`.
    pub fn is_quiet(&mut self, quiet: Duration) -> bool {
        let _ = self.stream.set_read_timeout(Some(quiet));
        let start = Instant::now();
        let came = self.receive();
        let _ = self.stream.set_read_timeout(Some(PATIENCE));
        came == Received::End && start.elapsed() >= quiet
    }

    /// The next thing that came, but pings of the protocol, which are answered.
    pub fn receive(&mut self) -> Received {
        loop {
            let Some((first, payload)) = self.frame() else { return Received::End };
            return match first {
                0x82 => match ToClient::from_bytes(payload.into()) {
                    Ok(ToClient::Ping(_)) => {
                        self.message(&ToRelay::Pong(Pong {}));
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

    /// Reads until the end of the connection, which must come.
    ///
    /// # Panics
    /// Where the relay keeps the connection open.
    pub fn farewell(&mut self) -> Farewell {
        let (start, mut farewell) = (Instant::now(), Farewell::default());
        loop {
            assert!(start.elapsed() < PATIENCE, "the relay keeps the connection: {farewell:?}");
            match self.receive() {
                Received::End => return farewell,
                Received::Close(code) => farewell.close = Some(code),
                Received::Message(message) => match *message {
                    ToClient::Goodbye(goodbye) => farewell.goodbye = Some(goodbye.code),
                    other => farewell.before.push(Received::Message(Box::new(other))),
                },
                other => farewell.before.push(other),
            }
        }
    }

    /// Reads and throws away bytes, waiting for them no longer than this. Returns whether the connection goes on.
    pub fn discard(&mut self, patience: Duration) -> bool {
        self.unread.clear();
        let mut buffer = [0; 64 * 1024];
        let _ = self.stream.set_read_timeout(Some(patience));
        let read = self.stream.read(&mut buffer);
        let _ = self.stream.set_read_timeout(Some(PATIENCE));
        match read {
            Ok(count) => count > 0,
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }

    /// Everything until the relay closes, as text: for answers over HTTP.
    ///
    /// # Panics
    /// Where the relay keeps the connection open.
    pub fn text(&mut self) -> String {
        String::from_utf8_lossy(&self.rest()).into_owned()
    }

    /// The number of bytes until the relay closes, or resets, the connection.
    ///
    /// # Panics
    /// The relay keeps the connection open.
    pub fn count_to_the_end(&mut self) -> usize {
        self.rest().len()
    }

    fn rest(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.unread).to_vec();
        let start = Instant::now();
        let _ = self.stream.read_to_end(&mut bytes);
        assert!(start.elapsed() < PATIENCE, "the relay keeps the connection");
        bytes
    }

    /// Reads a few bytes, at most 64; false at the end of the connection.
    pub fn read_some(&mut self, most: usize) -> bool {
        let mut some = [0; 64];
        let most = most.min(some.len());
        matches!(self.stream.read(&mut some[..most]), Ok(1..))
    }

    /// The head of one answer over HTTP.
    pub fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && self.fill(1) {
            head.push(self.unread.get_u8());
        }
        String::from_utf8_lossy(&head).into_owned()
    }

    /// One answer over HTTP: its head and its body.
    ///
    /// # Panics
    /// For an answer that breaks off.
    pub fn answer(&mut self) -> (String, String) {
        self.try_answer().expect("the answer broke off")
    }

    /// The same, where it comes whole.
    pub fn try_answer(&mut self) -> Option<(String, String)> {
        let head = self.head();
        head.starts_with("HTTP/1.1 ").then_some(())?;
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        let length: usize = length.unwrap_or(0);
        self.fill(length).then_some(())?;
        Some((head, String::from_utf8_lossy(&self.unread.split_to(length)).into_owned()))
    }

    /// The first byte and the payload of the next frame.
    fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
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

    /// Whether so many bytes came.
    fn fill(&mut self, len: usize) -> bool {
        let mut buffer = [0; 64 * 1024];
        while self.unread.len() < len {
            match self.stream.read(&mut buffer) {
                Ok(count @ 1..) => self.unread.extend_from_slice(&buffer[..count]),
                _ => return false,
            }
        }
        true
    }
}
