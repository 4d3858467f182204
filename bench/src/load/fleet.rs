//! Thousands of WebSocket connections on one thread.

use super::{
    dialect::{Dialect, Heard, Memory},
    frames,
};
use anyhow::{Context as _, Result, bail, ensure};
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use sealwire_protocol::wire::Position;
use socket2::{Domain, SockAddr, Socket, Type};
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

/// How long nothing may happen before a measurement is given up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// Connections from one source address: fewer than it has ports. Only past them is an address chosen, because the kernel
/// then looks for a port that no connection uses at all, which takes long.
const PORTS: usize = 24_000;
const BUFFER: usize = 1024 * 1024;
/// A connection is made while at most so many others are being opened.
const OPENING: usize = 64;

/// What a connection is for; the number is the channel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Subscriber(u32),
    Publisher(u32),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    AwaitingUpgrade,
    AwaitingReady,
    Ready,
}

struct Connection {
    stream: TcpStream,
    role: Role,
    phase: Phase,
    number: usize,
    /// Where a resumed subscription stood.
    since: Option<Position>,
    /// The start of a frame whose end has not come.
    carry: Vec<u8>,
    /// What the socket did not take yet.
    out: Vec<u8>,
    /// Number of the next message.
    expected: u64,
    memory: Memory,
}

/// A delivery: on which channel, which message of it.
pub(crate) struct Delivery {
    pub(crate) channel: u32,
    pub(crate) sequence: u64,
}

pub(crate) struct Fleet {
    poll: Poll,
    events: Events,
    dialect: Dialect,
    address: SocketAddr,
    connections: Vec<Option<Connection>>,
    /// Connections that do not read.
    asleep: Vec<usize>,
    ready: usize,
    buffer: Vec<u8>,
}

impl Fleet {
    pub(crate) fn new(address: SocketAddr, dialect: Dialect) -> Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            dialect,
            address,
            connections: Vec::new(),
            asleep: Vec::new(),
            ready: 0,
            buffer: vec![0; BUFFER],
        })
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Opens connections as fast as the server takes them; returns the first one's index once all are ready.
    pub(crate) fn connect(&mut self, roles: impl IntoIterator<Item = Role>) -> Result<usize> {
        self.connect_since(roles.into_iter().map(|role| (role, None, 0)), &mut |_| {})
    }

    /// The same with the position from which each resumes and the number of the message that it expects first.
    pub(crate) fn connect_since(
        &mut self,
        wanted: impl IntoIterator<Item = (Role, Option<Position>, u64)>,
        delivered: &mut impl FnMut(Delivery),
    ) -> Result<usize> {
        let first = self.connections.len();
        for (role, since, expected) in wanted {
            self.open(role, since, expected)?;
            let mut heard = Instant::now();
            while self.connections.len() - self.ready >= OPENING {
                self.wait_for_progress(&mut heard, delivered)?;
            }
        }
        let mut heard = Instant::now();
        while self.ready < self.connections.len() {
            self.wait_for_progress(&mut heard, delivered)?;
        }
        Ok(first)
    }

    fn wait_for_progress(&mut self, heard: &mut Instant, delivered: &mut impl FnMut(Delivery)) -> Result<()> {
        let before = self.ready;
        self.poll(Duration::from_millis(100), delivered)?;
        if self.ready > before {
            *heard = Instant::now();
        }
        let waiting = self.connections.len() - self.ready;
        ensure!(heard.elapsed() < PATIENCE, "{waiting} connections are not answered");
        Ok(())
    }

    fn open(&mut self, role: Role, since: Option<Position>, expected: u64) -> Result<()> {
        let number = self.connections.len();
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if number >= PORTS {
            let source = Ipv4Addr::new(127, 0, 0, u8::try_from(1 + number / PORTS)?);
            socket.bind(&SockAddr::from(SocketAddr::from((source, 0))))?;
        }
        socket.set_tcp_nodelay(true)?;
        socket.connect(&self.address.into()).context("cannot connect")?;
        socket.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(socket.into());
        let (target, extra) = self.dialect.target(role);
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extra}\r\n",
            self.address
        );
        stream.write_all(request.as_bytes())?;
        self.poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
        self.connections.push(Some(Connection {
            stream,
            role,
            phase: Phase::AwaitingUpgrade,
            number,
            since,
            carry: Vec::new(),
            out: Vec::new(),
            expected,
            memory: Memory { position: since, ..Memory::default() },
        }));
        Ok(())
    }

    /// Queues a publication; [`Self::flush`] follows.
    pub(crate) fn publish(&mut self, index: usize, channel: u32, id: u64, payload: &[u8]) -> Result<()> {
        let connection = self.connections[index].as_mut().context("the publisher is closed")?;
        self.dialect.publish(&mut connection.out, channel, id, payload);
        Ok(())
    }

    /// Writes what is queued on a connection, as far as the socket takes it.
    pub(crate) fn flush(&mut self, index: usize) -> Result<()> {
        let registry = self.poll.registry();
        let Some(connection) = &mut self.connections[index] else { return Ok(()) };
        if !connection.out.is_empty() && !connection.flush()? {
            let both = Interest::READABLE | Interest::WRITABLE;
            registry.reregister(&mut connection.stream, Token(index), both)?;
        }
        Ok(())
    }

    /// Sealwire only: subscribes a connection to a second channel.
    pub(crate) fn subscribe_too(&mut self, index: usize, channel: u32) -> Result<()> {
        let connection = self.connections[index].as_mut().context("the connection is closed")?;
        frames::write(&mut connection.out, frames::BINARY, &[&super::sealwire::subscribe(channel, None)]);
        self.flush(index)
    }

    /// This connection reads nothing from now on.
    pub(crate) fn put_to_sleep(&mut self, index: usize) {
        self.asleep.push(index);
    }

    /// Closes connections; returns the position of each.
    pub(crate) fn close(&mut self, range: std::ops::Range<usize>) -> Vec<Option<Position>> {
        self.connections[range]
            .iter_mut()
            .map(|slot| slot.take().and_then(|connection| connection.memory.position))
            .collect()
    }

    /// Reads what has come, waiting for at most `timeout`.
    pub(crate) fn poll(&mut self, timeout: Duration, delivered: &mut impl FnMut(Delivery)) -> Result<()> {
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            let index = event.token().0;
            if self.asleep.contains(&index) {
                continue;
            }
            let Some(connection) = &mut self.connections[index] else { continue };
            if event.is_writable() && !connection.out.is_empty() {
                connection.flush()?;
            }
            let was_ready = connection.phase == Phase::Ready;
            connection
                .read(self.dialect, &mut self.buffer, delivered)
                .with_context(|| format!("connection {index}, {:?}", connection.role))?;
            if !was_ready && connection.phase == Phase::Ready {
                self.ready += 1;
            }
        }
        self.events = events;
        Ok(())
    }
}

impl Connection {
    /// Whether everything was written.
    fn flush(&mut self) -> Result<bool> {
        let mut written = 0;
        while written < self.out.len() {
            match self.stream.write(&self.out[written..]) {
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error.into()),
            }
        }
        self.out.drain(..written);
        Ok(self.out.is_empty())
    }

    fn read(
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
                Ok(0) => bail!("the server closed"),
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
                frames::read(&filled[used..]).filter(|_| self.phase != Phase::AwaitingUpgrade)
            {
                used += frame.size;
                match frame.opcode {
                    frames::TEXT | frames::BINARY => self.hear(dialect, frame.payload, delivered)?,
                    frames::CLOSE => bail!("the server closes: {:?}", frame.payload),
                    frames::PING => bail!("no server under test pings this way"),
                    _ => {}
                }
            }
            self.carry.extend_from_slice(&filled[used..]);
            if self.carry.is_empty() && self.carry.capacity() > 0 {
                self.carry = Vec::new();
            }
            // A short read emptied the socket.
            if carried + count < buffer.len() {
                return Ok(());
            }
        }
    }

    fn read_upgrade(&mut self, dialect: Dialect, filled: &[u8]) -> Result<usize> {
        let Some(end) = filled.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(0) };
        ensure!(
            filled.starts_with(b"HTTP/1.1 101"),
            "no upgrade: {}",
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

    fn hear(&mut self, dialect: Dialect, message: &[u8], delivered: &mut impl FnMut(Delivery)) -> Result<()> {
        let Self { stream, role, phase, expected, memory, .. } = self;
        dialect.read(memory, *role, message, |heard| {
            match heard {
                Heard::Delivery(sequence) => {
                    ensure!(
                        sequence == *expected,
                        "message {sequence} came where {expected} was due: lost, repeated or out of order"
                    );
                    *expected += 1;
                    if let Role::Subscriber(channel) = *role {
                        delivered(Delivery { channel, sequence });
                    }
                }
                Heard::Ready => *phase = Phase::Ready,
                Heard::Answer(bytes) => stream.write_all(&bytes)?,
                Heard::Nothing => {}
            }
            Ok(())
        })
    }
}
