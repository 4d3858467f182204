//! Thousands of WebSocket connections on one thread. [`super::Traffic`] publishes through them and counts deliveries.

use super::{
    connection::Connection,
    dialect::Dialect,
    roles::{Delivery, Role},
    sealwire,
    stream::Stream,
    websocket,
};
use crate::open_files;
use anyhow::{Context as _, Result, ensure};
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use rustls::ClientConfig;
use sealwire_protocol::wire::Position;
use socket2::{Domain, SockAddr, Socket, Type};
use std::{
    io::{ErrorKind, Write as _},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

/// A measurement without progress for this long fails.
pub(crate) const STALL_TIMEOUT: Duration = Duration::from_secs(20);
/// Connections from one source address, fewer than it has ephemeral ports. Only later connections bind an address of
/// their own: for a bound socket the kernel searches a port that no other connection uses, which is slow.
const CONNECTIONS_PER_ADDRESS: usize = 24_000;
const READ_BUFFER_BYTES: usize = 1024 * 1024;
/// The number of connections whose handshakes are under way at the same time.
const MAX_PENDING: usize = 64;

/// The connections of the load generator, and the poll that drives them.
pub(crate) struct Fleet {
    poll: Poll,
    events: Events,
    dialect: Dialect,
    /// The configuration of TLS; `None` without TLS.
    tls: Option<Arc<ClientConfig>>,
    /// The servers. Connections take turns, [`Self::run_length`] after one another at the same server.
    addresses: Vec<SocketAddr>,
    run_length: usize,
    max_open_files: u64,
    connections: Vec<Option<Connection>>,
    /// Connections that read nothing, to act as slow consumers.
    paused: Vec<usize>,
    ready: usize,
    buffer: Vec<u8>,
}

impl Fleet {
    pub(crate) fn new(addresses: &[SocketAddr], dialect: Dialect) -> Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            dialect,
            tls: None,
            addresses: addresses.to_vec(),
            run_length: 1,
            max_open_files: open_files::raise_limit()?,
            connections: Vec::new(),
            paused: Vec::new(),
            ready: 0,
            buffer: vec![0; READ_BUFFER_BYTES],
        })
    }

    /// Connects over TLS if there is a configuration for it.
    pub(crate) fn with_tls(self, tls: Option<Arc<ClientConfig>>) -> Self {
        Self { tls, ..self }
    }

    /// Sets the number of consecutive connections to the same server. Default: 1.
    pub(crate) fn with_run_length(self, run_length: u32) -> Self {
        Self { run_length: run_length.max(1) as usize, ..self }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Opens connections as fast as the server accepts them. Returns the index of the first one once all are ready.
    pub(crate) fn connect(&mut self, roles: impl IntoIterator<Item = Role>) -> Result<usize> {
        self.connect_since(roles.into_iter().map(|role| (role, None, 0)), &mut |_| {})
    }

    /// Like [`Self::connect`], with the position that each connection resumes from and the number of the first message
    /// that it expects.
    pub(crate) fn connect_since(
        &mut self,
        wanted: impl IntoIterator<Item = (Role, Option<Position>, u64)>,
        delivered: &mut impl FnMut(Delivery),
    ) -> Result<usize> {
        let first = self.connections.len();
        for (role, since, expected) in wanted {
            self.open(role, since, expected)?;
            let mut last_progress = Instant::now();
            while self.connections.len() - self.ready >= MAX_PENDING {
                self.wait_for_progress(&mut last_progress, delivered)?;
            }
        }
        let mut last_progress = Instant::now();
        while self.ready < self.connections.len() {
            self.wait_for_progress(&mut last_progress, delivered)?;
        }
        Ok(first)
    }

    fn wait_for_progress(
        &mut self,
        last_progress: &mut Instant,
        delivered: &mut impl FnMut(Delivery),
    ) -> Result<()> {
        let before = self.ready;
        self.poll(Duration::from_millis(100), delivered)?;
        if self.ready > before {
            *last_progress = Instant::now();
        }
        let waiting = self.connections.len() - self.ready;
        ensure!(last_progress.elapsed() < STALL_TIMEOUT, "{waiting} connections did not become ready");
        Ok(())
    }

    fn open(&mut self, role: Role, since: Option<Position>, expected: u64) -> Result<()> {
        let number = self.connections.len();
        open_files::ensure(number as u64 + 1, self.max_open_files)?;
        let address = self.addresses[number / self.run_length % self.addresses.len()];
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        if number >= CONNECTIONS_PER_ADDRESS {
            let source = Ipv4Addr::new(127, 0, 0, u8::try_from(1 + number / CONNECTIONS_PER_ADDRESS)?);
            socket.bind(&SockAddr::from(SocketAddr::from((source, 0))))?;
        }
        socket.set_tcp_nodelay(true)?;
        socket.connect(&address.into()).context("cannot connect")?;
        socket.set_nonblocking(true)?;
        let mut stream = Stream::new(TcpStream::from_std(socket.into()), self.tls.as_ref())?;
        let (target, extra) = self.dialect.target(role);
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extra}\r\n",
            address
        );
        stream.write_all(request.as_bytes())?;
        stream.register(self.poll.registry(), Token(number))?;
        self.connections.push(Some(Connection::new(stream, number, role, since, expected)));
        Ok(())
    }

    /// Queues a publication, which [`Self::flush`] sends.
    pub(crate) fn publish(&mut self, index: usize, channel: u32, id: u64, payload: &[u8]) -> Result<()> {
        let connection = self.connections[index].as_mut().context("the publisher is closed")?;
        self.dialect.publish(&mut connection.out, channel, id, payload);
        Ok(())
    }

    /// Writes the queued bytes of a connection, as many as the socket accepts.
    pub(crate) fn flush(&mut self, index: usize) -> Result<()> {
        let registry = self.poll.registry();
        let Some(connection) = &mut self.connections[index] else { return Ok(()) };
        if !connection.out.is_empty() && !connection.flush()? {
            let both = Interest::READABLE | Interest::WRITABLE;
            connection.stream.reregister(registry, Token(index), both)?;
        }
        Ok(())
    }

    /// Subscribes a connection of the Sealwire dialect to a further channel.
    pub(crate) fn add_subscription(&mut self, index: usize, channel: u32) -> Result<()> {
        let connection = self.connections[index].as_mut().context("the connection is closed")?;
        websocket::write(&mut connection.out, websocket::BINARY, &[&sealwire::subscribe(channel, None)]);
        self.flush(index)
    }

    /// Returns the number of subscriptions that the relay confirmed on all open connections.
    pub(crate) fn confirmed(&self) -> u64 {
        self.connections.iter().flatten().map(|connection| connection.state.confirmed).sum()
    }

    /// Stops reading from a connection, for the rest of the measurement.
    pub(crate) fn stop_reading(&mut self, index: usize) {
        self.paused.push(index);
    }

    /// Closes connections and returns the position that each had reached.
    pub(crate) fn close(&mut self, range: std::ops::Range<usize>) -> Vec<Option<Position>> {
        self.connections[range]
            .iter_mut()
            .map(|slot| slot.take().and_then(|connection| connection.state.position))
            .collect()
    }

    /// Reads from every readable connection, after waiting for at most `timeout`.
    pub(crate) fn poll(&mut self, timeout: Duration, delivered: &mut impl FnMut(Delivery)) -> Result<()> {
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            result => result?,
        }
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            let index = event.token().0;
            if self.paused.contains(&index) {
                continue;
            }
            let Some(connection) = &mut self.connections[index] else { continue };
            if event.is_writable() && connection.has_unsent() {
                connection.flush()?;
            }
            let was_ready = connection.is_ready();
            connection
                .read(self.dialect, &mut self.buffer, delivered)
                .with_context(|| format!("connection {index}, {:?}", connection.role))?;
            if !was_ready && connection.is_ready() {
                self.ready += 1;
            }
        }
        self.events = events;
        Ok(())
    }
}
