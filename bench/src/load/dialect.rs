//! What each server under test is told, and how its messages are read.

use super::{fleet::Role, frames, payload, sealwire};
use anyhow::{Context as _, Result, bail, ensure};
use sealwire_protocol::wire::{Position, ToClient};

/// The protocol that a server speaks over WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sealwire,
    /// `S<channel>` subscribes and is answered by `R`; `P<channel> <payload>` publishes; payloads arrive bare.
    Plain,
    Nats,
    Nchan,
    SocketIo,
}

/// What a message from the server means to the load generator.
pub(crate) enum Heard {
    /// A delivery with its number within the channel.
    Delivery(u64),
    /// The connection is ready for the measurement.
    Ready,
    /// The server expects this next.
    Answer(Vec<u8>),
    Nothing,
}

/// What a connection remembers between messages.
#[derive(Default)]
pub(crate) struct Memory {
    /// Sealwire: the position after the last publication.
    pub(crate) position: Option<Position>,
    /// NATS: bytes of a protocol line or message that is not complete.
    pub(crate) stream: Vec<u8>,
}

impl Dialect {
    /// Request target and subprotocol of the opening handshake.
    pub(crate) fn target(self, role: Role) -> (String, &'static str) {
        match (self, role) {
            (Self::Sealwire, _) => ("/v1/realtime".into(), "Sec-WebSocket-Protocol: sealwire.v1\r\n"),
            (Self::Plain | Self::Nats, _) => ("/".into(), ""),
            (Self::SocketIo, _) => ("/socket.io/?EIO=4&transport=websocket".into(), ""),
            (Self::Nchan, Role::Subscriber(channel)) => (format!("/sub/c{channel}"), ""),
            (Self::Nchan, Role::Publisher(channel)) => (format!("/pub/c{channel}"), ""),
        }
    }

    /// Whether a connection publishes on one channel only.
    pub(crate) fn has_publisher_per_channel(self) -> bool {
        self == Self::Nchan
    }

    /// What is sent right after the handshake. `None`: the connection is ready without.
    pub(crate) fn opening(
        self,
        number: usize,
        role: Role,
        since: Option<Position>,
    ) -> Result<Option<Vec<u8>>> {
        let mut out = Vec::new();
        match (self, role) {
            (Self::Sealwire, role) => {
                frames::write(&mut out, frames::BINARY, &[&sealwire::hello(number)?]);
                if let Role::Subscriber(channel) = role {
                    frames::write(&mut out, frames::BINARY, &[&sealwire::subscribe(channel, since)]);
                }
            }
            (Self::Plain, Role::Subscriber(channel)) => {
                frames::write(&mut out, frames::BINARY, &[format!("S{channel}").as_bytes()]);
            }
            (Self::Nats, role) => {
                let subject = match role {
                    Role::Subscriber(channel) => format!("SUB c{channel} 1\r\n"),
                    Role::Publisher(_) => String::new(),
                };
                let text = format!("CONNECT {{\"verbose\":false,\"pedantic\":false}}\r\n{subject}PING\r\n");
                frames::write(&mut out, frames::BINARY, &[text.as_bytes()]);
            }
            (Self::SocketIo, _) => frames::write(&mut out, frames::TEXT, &[b"40"]),
            (Self::Plain, Role::Publisher(_)) | (Self::Nchan, _) => return Ok(None),
        }
        Ok(Some(out))
    }

    /// Appends what publishes `payload`. `id` is unique in the run.
    pub(crate) fn publish(self, out: &mut Vec<u8>, channel: u32, id: u64, payload: &[u8]) {
        match self {
            Self::Sealwire => {
                frames::write(out, frames::BINARY, &[&sealwire::publish(channel, id, payload)]);
            }
            Self::Plain => {
                frames::write(out, frames::BINARY, &[format!("P{channel} ").as_bytes(), payload]);
            }
            Self::Nats => {
                let line = format!("PUB c{channel} {}\r\n", payload.len());
                frames::write(out, frames::BINARY, &[line.as_bytes(), payload, b"\r\n"]);
            }
            Self::Nchan => frames::write(out, frames::TEXT, &[payload]),
            Self::SocketIo => {
                let start = format!("42[\"p\",\"c{channel}\",\"");
                frames::write(out, frames::TEXT, &[start.as_bytes(), payload, b"\"]"]);
            }
        }
    }

    /// Reads one WebSocket message; `heard` may be called several times.
    pub(crate) fn read(
        self,
        memory: &mut Memory,
        role: Role,
        message: &[u8],
        mut heard: impl FnMut(Heard) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::Sealwire => heard(read_sealwire(memory, role, message)?),
            Self::Plain if message == b"R" => heard(Heard::Ready),
            Self::Plain | Self::Nchan => match role {
                Role::Subscriber(_) => heard(Heard::Delivery(number(message)?)),
                Role::Publisher(_) => Ok(()),
            },
            Self::SocketIo => heard(read_socket_io(role, message)?),
            Self::Nats => read_nats(&mut memory.stream, message, &mut heard),
        }
    }
}

fn number(payload: &[u8]) -> Result<u64> {
    payload::sequence(payload).with_context(|| {
        format!("not one of our messages: {:?}", String::from_utf8_lossy(&payload[..payload.len().min(100)]))
    })
}

fn read_sealwire(memory: &mut Memory, role: Role, message: &[u8]) -> Result<Heard> {
    match sealwire::message_kind(message) {
        sealwire::kind::PUBLICATION => {
            let publication = sealwire::publication(message).context("a publication cannot be read")?;
            let position = memory.position.as_mut().context("a publication before Subscribed")?;
            ensure!(
                publication.previous_offset == position.offset && publication.offset > position.offset,
                "offset {} follows {}, the client stands at {}",
                publication.offset,
                publication.previous_offset,
                position.offset
            );
            position.offset = publication.offset;
            Ok(Heard::Delivery(number(publication.sealed)?))
        }
        sealwire::kind::PUBLISHED => Ok(Heard::Nothing),
        sealwire::kind::WELCOME => Ok(match role {
            Role::Publisher(_) => Heard::Ready,
            Role::Subscriber(_) => Heard::Nothing,
        }),
        sealwire::kind::SUBSCRIBED => {
            let Ok(ToClient::Subscribed(subscribed)) = ToClient::from_bytes(message.to_vec().into()) else {
                bail!("Subscribed cannot be read");
            };
            ensure!(memory.position.is_none() || subscribed.recovered, "a resume was not recovered");
            memory.position = subscribed.position;
            Ok(Heard::Ready)
        }
        sealwire::kind::PING => {
            let mut out = Vec::new();
            frames::write(&mut out, frames::BINARY, &[&sealwire::pong()]);
            Ok(Heard::Answer(out))
        }
        _ => bail!("the relay refused: {:?}", ToClient::from_bytes(message.to_vec().into())),
    }
}

fn read_socket_io(role: Role, message: &[u8]) -> Result<Heard> {
    let answer = |text: &str| {
        let mut out = Vec::new();
        frames::write(&mut out, frames::TEXT, &[text.as_bytes()]);
        Heard::Answer(out)
    };
    match message {
        b"2" => Ok(answer("3")),
        [b'0', ..] => Ok(Heard::Nothing),
        [b'4', b'0', ..] => Ok(match role {
            Role::Subscriber(channel) => answer(&format!("42[\"s\",\"c{channel}\"]")),
            Role::Publisher(_) => Heard::Ready,
        }),
        b"42[\"r\"]" => Ok(Heard::Ready),
        [b'4', b'2', .., b'"', b']'] => Ok(Heard::Delivery(number(&message[..message.len() - 2])?)),
        _ => bail!("unexpected from socket.io: {:?}", String::from_utf8_lossy(message)),
    }
}

/// Frames of NATS carry a stream of lines and payloads, cut anywhere.
fn read_nats(
    stream: &mut Vec<u8>,
    message: &[u8],
    heard: &mut impl FnMut(Heard) -> Result<()>,
) -> Result<()> {
    if stream.is_empty() {
        let read = read_nats_stream(message, heard)?;
        stream.extend_from_slice(&message[read..]);
    } else {
        stream.extend_from_slice(message);
        let read = read_nats_stream(stream, heard)?;
        stream.drain(..read);
    }
    if stream.is_empty() {
        *stream = Vec::new();
    }
    Ok(())
}

/// Returns how many bytes were read.
fn read_nats_stream(bytes: &[u8], heard: &mut impl FnMut(Heard) -> Result<()>) -> Result<usize> {
    let mut read = 0;
    loop {
        let rest = &bytes[read..];
        let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") else { return Ok(read) };
        let line = &rest[..end];
        if line.starts_with(b"MSG ") {
            let size = line.rsplit(|byte| *byte == b' ').next().and_then(|size| str::from_utf8(size).ok());
            let size: usize = size.and_then(|size| size.parse().ok()).context("a MSG without its size")?;
            let Some(payload) = rest.get(end + 2..end + 2 + size + 2) else { return Ok(read) };
            heard(Heard::Delivery(number(&payload[..size])?))?;
            read += end + 2 + size + 2;
            continue;
        }
        match line {
            b"PONG" => heard(Heard::Ready)?,
            b"PING" => {
                let mut out = Vec::new();
                frames::write(&mut out, frames::BINARY, &[b"PONG\r\n"]);
                heard(Heard::Answer(out))?;
            }
            _ => ensure!(line.starts_with(b"INFO"), "NATS says {:?}", String::from_utf8_lossy(line)),
        }
        read += end + 2;
    }
}
