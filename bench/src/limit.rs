//! The bare limits: a minimal server that only reads, looks up subscribers and writes, as a lower bound of the cost.
//!
//! It runs on one thread with epoll and without checks. Every delivery is a separate write. With `coalesced`, all
//! waiting messages of a connection are one write.

use crate::load::websocket;
use anyhow::{Context as _, Result};
use mio::{Events, Interest, Poll, Token, net::TcpListener, net::TcpStream};
use std::{
    collections::HashMap,
    io::{ErrorKind, Read as _, Write as _},
};

const LISTENER: Token = Token(usize::MAX);
/// The response to the only `Sec-WebSocket-Key` that the load generator uses.
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
    /// The frames that the next flush delivers.
    waiting: Vec<u8>,
}

/// The state of the minimal server.
struct BareServer {
    clients: Vec<Option<Client>>,
    channels: HashMap<u32, Channel>,
    /// The channels with waiting frames.
    dirty: Vec<u32>,
    coalesced: bool,
}

/// Serves on a free port until the process is killed.
pub(crate) fn serve(coalesced: bool) -> Result<()> {
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(([127, 0, 0, 1], 0).into())?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("listening on http://{}", listener.local_addr()?);
    let mut server =
        BareServer { clients: Vec::new(), channels: HashMap::new(), dirty: Vec::new(), coalesced };
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
                    let token = Token(server.clients.len());
                    poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
                    server.clients.push(Some(Client {
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
                && let Some(client) = &mut server.clients[index]
                && !client.unsent.is_empty()
            {
                let unsent = std::mem::take(&mut client.unsent);
                client.send(&unsent);
            }
            if event.is_readable() && server.read(index, &mut buffer).is_err() {
                server.clients[index] = None;
            }
        }
        server.flush();
    }
}

impl BareServer {
    fn read(&mut self, index: usize, buffer: &mut [u8]) -> Result<()> {
        loop {
            let Some(client) = &mut self.clients[index] else { return Ok(()) };
            let carried = client.carry.len();
            buffer[..carried].copy_from_slice(&client.carry);
            client.carry.clear();
            let filled = match client.stream.read(&mut buffer[carried..]) {
                Ok(0) => anyhow::bail!("the client closed the connection"),
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
            while let Some((_, range)) = websocket::read_masked(&mut buffer[used..filled]) {
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
                let space = rest
                    .iter()
                    .position(|byte| *byte == b' ')
                    .context("a publish command has no space after its channel")?;
                let id = number(&rest[..space])?;
                let Some(channel) = self.channels.get_mut(&id) else { return Ok(()) };
                if channel.waiting.is_empty() {
                    self.dirty.push(id);
                }
                websocket::write_unmasked(&mut channel.waiting, websocket::BINARY, &rest[space + 1..]);
                if !self.coalesced {
                    self.flush();
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes the waiting frames of every channel to its subscribers.
    fn flush(&mut self) {
        for id in self.dirty.drain(..) {
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
