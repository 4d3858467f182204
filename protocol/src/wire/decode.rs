//! The codec of the messages from the relay to a client.

use super::{
    Ended, Failed, FrameError, Goodbye, Ping, Pong, Position, Presence, PresenceAccepted, PresenceEnded,
    Publication, Published, Refreshed, Session, Subscribed, ToClient, Unsubscribed, Welcome,
    codec::implement_codec,
    fields::{Fields, Value, next},
};
use alloc::vec::Vec;
use bytes::Bytes;

implement_codec!(ToClient, decode);

/// Decodes a message. prost decodes the same, with more code.
#[inline(never)]
fn decode(mut bytes: Bytes) -> Result<ToClient, FrameError> {
    let mut message = None;
    while let Some((number, value)) = next(&mut bytes)? {
        let Value::Bytes(bytes) = value else { continue };
        if let Some(read) = read(number, bytes)? {
            message = Some(read);
        }
    }
    message.ok_or(FrameError::Unknown)
}

/// Reads the message with this field number, or returns `None` if the number is unknown in this version.
fn read(number: usize, bytes: Bytes) -> Result<Option<ToClient>, FrameError> {
    const PING: usize = 10;
    const PRESENCE: usize = 14;
    match number {
        PING => return Ok(Some(ToClient::Ping(Ping::read(bytes)?))),
        PRESENCE => return Ok(Some(ToClient::Presence(Presence::read(bytes)?))),
        _ => {}
    }
    let mut fields = Fields::read(bytes)?;
    Ok(Some(match number {
        1 => ToClient::Welcome(Welcome {
            max_frame: fields.u32(1)?,
            max_subscriptions: fields.u32(2)?,
            heartbeat_ms: fields.u32(3)?,
            replay_window_ms: fields.u32(4)?,
            expires_at: fields.u64(5)?,
            now_ms: fields.u64(6)?,
        }),
        2 => ToClient::Refreshed(Refreshed { request: fields.u32(1)?, expires_at: fields.u64(2)? }),
        3 => ToClient::Subscribed(Subscribed {
            request: fields.u32(1)?,
            channel_id: fields.bytes(2)?,
            position: fields.optional(3)?.map(Position::read).transpose()?,
            recovered: fields.u64(4)? != 0,
            replay_end: fields.u64(5)?,
        }),
        4 => ToClient::Unsubscribed(Unsubscribed { request: fields.u32(1)? }),
        5 => ToClient::Publication(Publication {
            channel_id: fields.bytes(1)?,
            offset: fields.u64(2)?,
            previous_offset: fields.u64(3)?,
            time_ms: fields.u64(4)?,
            event: fields.text(5)?,
            sealed: fields.bytes(6)?,
        }),
        6 => ToClient::Published(Published {
            request: fields.u32(1)?,
            position: fields.optional(2)?.map(Position::read).transpose()?,
            time_ms: fields.u64(3)?,
        }),
        7 => ToClient::Failed(Failed {
            request: fields.u32(1)?,
            code: fields.u32(2)?,
            message: fields.text(3)?,
            retry_after_ms: fields.u32(4)?,
        }),
        8 => ToClient::Ended(Ended {
            channel_id: fields.bytes(1)?,
            code: fields.u32(2)?,
            message: fields.text(3)?,
        }),
        9 => ToClient::Goodbye(Goodbye {
            code: fields.u32(1)?,
            message: fields.text(2)?,
            reconnect_after_ms: fields.u32(3)?,
        }),
        11 => ToClient::Pong(Pong {}),
        _ => return read_later(number, fields),
    }))
}

/// Reads one of the messages from `Session` on, like [`read`].
fn read_later(number: usize, mut fields: Fields) -> Result<Option<ToClient>, FrameError> {
    Ok(Some(match number {
        12 => ToClient::Session(Session { number: fields.u32(1)? }),
        13 => ToClient::PresenceAccepted(PresenceAccepted {
            request: fields.u32(1)?,
            channel_id: fields.bytes(2)?,
        }),
        15 => ToClient::PresenceEnded(PresenceEnded {
            channel_id: fields.bytes(1)?,
            code: fields.u32(2)?,
            message: fields.text(3)?,
        }),
        _ => return Ok(None),
    }))
}
