//! The protocols of the servers under test: how a connection subscribes and publishes, and how messages are read.

use super::{payload, roles::Role, sealwire, websocket};
use anyhow::{Context as _, Result, bail, ensure};
use sealwire_protocol::wire::{Position, ToClient};

/// The protocol that a server speaks over WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sealwire,
    /// `S<channel>` subscribes, and the server responds with `R`. `P<channel> <payload>` publishes. A delivery consists
    /// of the payload alone.
    Plain,
    Nats,
    Nchan,
    SocketIo,
}

/// The meaning of a message from the server.
pub(crate) enum Received {
    /// A delivery, with the number of the message within its channel.
    Delivery(u64),
    /// The connection is ready for the measurement.
    Ready,
    /// A message to which the server expects these bytes in reply.
    Reply(Vec<u8>),
    /// A message without a meaning for the measurement.
    Nothing,
}

/// The state that a connection keeps between messages.
#[derive(Default)]
pub(crate) struct ReadState {
    /// For Sealwire, the position of the last publication.
    pub(crate) position: Option<Position>,
    /// For Sealwire, the number of subscriptions that the relay confirmed.
    pub(crate) confirmed: u64,
    /// For NATS, the bytes of an incomplete protocol line or message.
    pub(crate) stream: Vec<u8>,
}

impl Dialect {
    /// Returns the request target of the opening handshake, and a header line for the subprotocol.
    pub(crate) fn target(self, role: Role) -> (String, &'static str) {
        match (self, role) {
            (Self::Sealwire, _) => ("/v1/realtime".into(), "Sec-WebSocket-Protocol: sealwire.v1\r\n"),
            (Self::Plain | Self::Nats, _) => ("/".into(), ""),
            (Self::SocketIo, _) => ("/socket.io/?EIO=4&transport=websocket".into(), ""),
            (Self::Nchan, Role::Subscriber(channel)) => (format!("/sub/c{channel}"), ""),
            (Self::Nchan, Role::Publisher(channel)) => (format!("/pub/c{channel}"), ""),
            (Self::Nchan, Role::Listener) => unreachable!("only connections to the relay have many channels"),
        }
    }

    /// Returns whether the server needs a separate publishing connection for each channel.
    pub(crate) fn has_publisher_per_channel(self) -> bool {
        self == Self::Nchan
    }

    /// Returns the bytes to send after the handshake, or `None` if the connection is ready without them.
    pub(crate) fn opening(
        self,
        number: usize,
        role: Role,
        since: Option<Position>,
    ) -> Result<Option<Vec<u8>>> {
        let mut out = Vec::new();
        match (self, role) {
            (Self::Sealwire, role) => {
                websocket::write(&mut out, websocket::BINARY, &[&sealwire::hello(number)?]);
                if let Role::Subscriber(channel) = role {
                    websocket::write(&mut out, websocket::BINARY, &[&sealwire::subscribe(channel, since)]);
                }
            }
            (Self::Plain, Role::Subscriber(channel)) => {
                websocket::write(&mut out, websocket::BINARY, &[format!("S{channel}").as_bytes()]);
            }
            (Self::Nats, role) => {
                let subject = match role {
                    Role::Subscriber(channel) => format!("SUB c{channel} 1\r\n"),
                    Role::Publisher(_) | Role::Listener => String::new(),
                };
                let text = format!("CONNECT {{\"verbose\":false,\"pedantic\":false}}\r\n{subject}PING\r\n");
                websocket::write(&mut out, websocket::BINARY, &[text.as_bytes()]);
            }
            (Self::SocketIo, _) => websocket::write(&mut out, websocket::TEXT, &[b"40"]),
            (Self::Plain, Role::Publisher(_) | Role::Listener) | (Self::Nchan, _) => return Ok(None),
        }
        Ok(Some(out))
    }

    /// Appends a message that publishes `payload`. `id` must be unique in the run.
    pub(crate) fn publish(self, out: &mut Vec<u8>, channel: u32, id: u64, payload: &[u8]) {
        match self {
            Self::Sealwire => {
                websocket::write(out, websocket::BINARY, &[&sealwire::publish(channel, id, payload)]);
            }
            Self::Plain => {
                websocket::write(out, websocket::BINARY, &[format!("P{channel} ").as_bytes(), payload]);
            }
            Self::Nats => {
                let line = format!("PUB c{channel} {}\r\n", payload.len());
                websocket::write(out, websocket::BINARY, &[line.as_bytes(), payload, b"\r\n"]);
            }
            Self::Nchan => websocket::write(out, websocket::TEXT, &[payload]),
            Self::SocketIo => {
                let start = format!("42[\"p\",\"c{channel}\",\"");
                websocket::write(out, websocket::TEXT, &[start.as_bytes(), payload, b"\"]"]);
            }
        }
    }

    /// Reads one WebSocket message and calls `received` for each of its parts.
    pub(crate) fn read(
        self,
        state: &mut ReadState,
        role: Role,
        message: &[u8],
        mut received: impl FnMut(Received) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Sealwire => received(read_sealwire(state, role, message)?),
            Self::Plain if message == b"R" => received(Received::Ready),
            Self::Plain | Self::Nchan => match role {
                Role::Subscriber(_) => received(Received::Delivery(number(message)?)),
                Role::Publisher(_) | Role::Listener => Ok(()),
            },
            Self::SocketIo => received(read_socket_io(role, message)?),
            Self::Nats => read_nats(&mut state.stream, message, &mut received),
        }
    }
}

fn number(payload: &[u8]) -> Result<u64> {
    payload::sequence(payload).with_context(|| {
        format!(
            "the payload was not published by this program: {:?}",
            String::from_utf8_lossy(&payload[..payload.len().min(100)])
        )
    })
}

fn read_sealwire(state: &mut ReadState, role: Role, message: &[u8]) -> Result<Received> {
    match sealwire::message_kind(message) {
        sealwire::kind::PUBLICATION => {
            let publication = sealwire::publication(message).context("cannot decode a publication")?;
            if role == Role::Listener {
                // The positions of its channels are not told apart.
                return Ok(Received::Delivery(number(publication.sealed)?));
            }
            let position = state.position.as_mut().context("a publication arrived before Subscribed")?;
            ensure!(
                publication.previous_offset <= position.offset && publication.offset > position.offset,
                "offset {} claims to follow {}, but the last publication had {}",
                publication.offset,
                publication.previous_offset,
                position.offset
            );
            position.offset = publication.offset;
            Ok(Received::Delivery(number(publication.sealed)?))
        }
        sealwire::kind::PUBLISHED => Ok(Received::Nothing),
        sealwire::kind::WELCOME => Ok(match role {
            Role::Publisher(_) | Role::Listener => Received::Ready,
            Role::Subscriber(_) => Received::Nothing,
        }),
        sealwire::kind::SUBSCRIBED => {
            let Ok(ToClient::Subscribed(subscribed)) = ToClient::from_bytes(message.to_vec().into()) else {
                bail!("cannot decode Subscribed");
            };
            state.confirmed += 1;
            // Other connections may subscribe to several channels, of which nothing is resumed.
            let resumes = matches!(role, Role::Subscriber(_)) && state.position.is_some();
            ensure!(!resumes || subscribed.recovered, "a resumed subscription was not recovered");
            state.position = subscribed.position;
            Ok(Received::Ready)
        }
        sealwire::kind::PING => {
            let mut out = Vec::new();
            websocket::write(&mut out, websocket::BINARY, &[&sealwire::pong()]);
            Ok(Received::Reply(out))
        }
        _ => bail!("unexpected message from the relay: {:?}", ToClient::from_bytes(message.to_vec().into())),
    }
}

fn read_socket_io(role: Role, message: &[u8]) -> Result<Received> {
    let reply = |text: &str| {
        let mut out = Vec::new();
        websocket::write(&mut out, websocket::TEXT, &[text.as_bytes()]);
        Received::Reply(out)
    };
    match message {
        b"2" => Ok(reply("3")),
        [b'0', ..] => Ok(Received::Nothing),
        [b'4', b'0', ..] => Ok(match role {
            Role::Subscriber(channel) => reply(&format!("42[\"s\",\"c{channel}\"]")),
            Role::Publisher(_) | Role::Listener => Received::Ready,
        }),
        b"42[\"r\"]" => Ok(Received::Ready),
        [b'4', b'2', .., b'"', b']'] => Ok(Received::Delivery(number(&message[..message.len() - 2])?)),
        _ => bail!("unexpected message from socket.io: {:?}", String::from_utf8_lossy(message)),
    }
}

/// Reads a WebSocket message of NATS. The messages carry a stream of lines and payloads, split at any point.
fn read_nats(
    stream: &mut Vec<u8>,
    message: &[u8],
    received: &mut impl FnMut(Received) -> Result<()>,
) -> Result<()> {
    if stream.is_empty() {
        let read = read_nats_stream(message, received)?;
        stream.extend_from_slice(&message[read..]);
    } else {
        stream.extend_from_slice(message);
        let read = read_nats_stream(stream, received)?;
        stream.drain(..read);
    }
    if stream.is_empty() {
        *stream = Vec::new();
    }
    Ok(())
}

/// Reads the complete lines and payloads, and returns the number of bytes read.
fn read_nats_stream(bytes: &[u8], received: &mut impl FnMut(Received) -> Result<()>) -> Result<usize> {
    let mut read = 0;
    loop {
        let rest = &bytes[read..];
        let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") else { return Ok(read) };
        let line = &rest[..end];
        if line.starts_with(b"MSG ") {
            let size = line.rsplit(|byte| *byte == b' ').next().and_then(|size| str::from_utf8(size).ok());
            let size: usize = size.and_then(|size| size.parse().ok()).context("a MSG line has no size")?;
            let Some(payload) = rest.get(end + 2..end + 2 + size + 2) else { return Ok(read) };
            received(Received::Delivery(number(&payload[..size])?))?;
            read += end + 2 + size + 2;
            continue;
        }
        match line {
            b"PONG" => received(Received::Ready)?,
            b"PING" => {
                let mut out = Vec::new();
                websocket::write(&mut out, websocket::BINARY, &[b"PONG\r\n"]);
                received(Received::Reply(out))?;
            }
            _ => ensure!(
                line.starts_with(b"INFO"),
                "unexpected line from NATS: {:?}",
                String::from_utf8_lossy(line)
            ),
        }
        read += end + 2;
    }
}
