//! The bare limits: what a server costs that does nothing but read, look up and write. One thread, epoll, no checks.
//! Every delivery is a write of its own, or, coalesced, everything that waits for a connection is one.

use crate::load::frames;
use anyhow::{Context as _, Result};
use mio::{Events, Interest, Poll, Token, net::TcpListener, net::TcpStream};
use std::{
    collections::HashMap,
    io::{ErrorKind, Read as _, Write as _},
};

const LISTENER: Token = Token(usize::MAX);
/// The answer to the one key that the load generator uses.
const UPGRADED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

struct Client {
    stream: TcpStream,
    upgraded: bool,
    carry: Vec<u8>,
    unsent: Vec<u8>,
}

#[derive(Default)]
struct Channel {
    subscribers: Vec<usize>,
    /// Frames that wait for the end of the round.
    waiting: Vec<u8>,
}

struct Limit {
    clients: Vec<Option<Client>>,
    channels: HashMap<u32, Channel>,
    touched: Vec<u32>,
    coalesced: bool,
}

/// Serves until it is ended.
pub(crate) fn serve(coalesced: bool) -> Result<()> {
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(([127, 0, 0, 1], 0).into())?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("listening on http://{}", listener.local_addr()?);
    let mut limit = Limit { clients: Vec::new(), channels: HashMap::new(), touched: Vec::new(), coalesced };
    let mut events = Events::with_capacity(1024);
    let mut buffer = vec![0; 1024 * 1024];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true)?;
                    let token = Token(limit.clients.len());
                    poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
                    limit.clients.push(Some(Client {
                        stream,
                        upgraded: false,
                        carry: Vec::new(),
                        unsent: Vec::new(),
                    }));
                }
                continue;
            }
            let index = event.token().0;
            if event.is_writable()
                && let Some(client) = &mut limit.clients[index]
                && !client.unsent.is_empty()
            {
                let unsent = std::mem::take(&mut client.unsent);
                client.send(&unsent);
            }
            if event.is_readable() && limit.read(index, &mut buffer).is_err() {
                limit.clients[index] = None;
            }
        }
        limit.flush();
    }
}

impl Limit {
    fn read(&mut self, index: usize, buffer: &mut [u8]) -> Result<()> {
        loop {
            let Some(client) = &mut self.clients[index] else { return Ok(()) };
            let carried = client.carry.len();
            buffer[..carried].copy_from_slice(&client.carry);
            client.carry.clear();
            let filled = match client.stream.read(&mut buffer[carried..]) {
                Ok(0) => anyhow::bail!("gone"),
                Ok(count) => carried + count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    client.carry.extend_from_slice(&buffer[..carried]);
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            let mut used = 0;
            if !client.upgraded {
                if !buffer[..filled].ends_with(b"\r\n\r\n") {
                    client.carry.extend_from_slice(&buffer[..filled]);
                    return Ok(());
                }
                (client.upgraded, used) = (true, filled);
                client.send(UPGRADED);
            }
            while let Some((_, range)) = frames::read_masked(&mut buffer[used..filled]) {
                let message = &buffer[used + range.start..used + range.end];
                used += range.end;
                self.take(index, message)?;
            }
            if let Some(client) = &mut self.clients[index] {
                client.carry.extend_from_slice(&buffer[used..filled]);
                if client.carry.is_empty() {
                    client.carry = Vec::new();
                }
            }
            if filled < buffer.len() {
                return Ok(());
            }
        }
    }

    fn take(&mut self, index: usize, message: &[u8]) -> Result<()> {
        let number = |digits: &[u8]| -> Result<u32> { Ok(str::from_utf8(digits)?.parse()?) };
        match message {
            [b'S', channel @ ..] => {
                self.channels.entry(number(channel)?).or_default().subscribers.push(index);
                if let Some(client) = &mut self.clients[index] {
                    client.send(b"\x82\x01R");
                }
            }
            [b'P', rest @ ..] => {
                let space = rest.iter().position(|byte| *byte == b' ').context("no channel")?;
                let id = number(&rest[..space])?;
                let Some(channel) = self.channels.get_mut(&id) else { return Ok(()) };
                if channel.waiting.is_empty() {
                    self.touched.push(id);
                }
                frames::write_unmasked(&mut channel.waiting, frames::BINARY, &rest[space + 1..]);
                if !self.coalesced {
                    self.flush();
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes what waits.
    fn flush(&mut self) {
        for id in self.touched.drain(..) {
            let Some(channel) = self.channels.get_mut(&id) else { continue };
            for index in &channel.subscribers {
                if let Some(client) = &mut self.clients[*index] {
                    client.send(&channel.waiting);
                }
            }
            channel.waiting.clear();
        }
    }
}

impl Client {
    fn send(&mut self, mut bytes: &[u8]) {
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(bytes);
            return;
        }
        while !bytes.is_empty() {
            match self.stream.write(bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(_) => {
                    self.unsent.extend_from_slice(bytes);
                    return;
                }
            }
        }
    }
}
