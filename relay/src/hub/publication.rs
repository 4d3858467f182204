//! A message on its way: the draft as published, and the publication with its place in the channel's history.

use crate::{memory::Memory, tenant::Tenant, websocket};
use bytes::Bytes;
use sealwire_protocol::{
    ChannelId, UnixMillis, limits,
    wire::{self, Position, ToClient},
};
use std::{fmt, sync::Arc};

/// The sender's choice by which a repeated publish is recognised.
pub type IdempotencyId = [u8; limits::IDEMPOTENCY_ID];

/// A message that was allowed onto a channel and has no place there yet.
#[derive(Clone)]
pub struct Draft {
    /// Where to.
    pub channel: ChannelId,
    /// The tenant of the channel.
    pub tenant: Tenant,
    /// Label that subscribers can filter by.
    pub event: String,
    /// The sealed message, as it came.
    pub sealed: Bytes,
    /// Names this message on this channel, also when it is sent again.
    pub id: IdempotencyId,
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("channel", &self.channel)
            .field("sealed", &self.sealed.len())
            .finish_non_exhaustive()
    }
}

/// Where and when a message was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its place.
    pub position: Position,
    /// The relay's clock.
    pub time: UnixMillis,
}

/// A message with its place in the channel, encoded once for every subscriber and for replay.
pub struct Publication {
    channel: ChannelId,
    offset: u64,
    event: Box<str>,
    frame: Bytes,
    message_start: usize,
}

impl Publication {
    /// Encodes a draft that was given the place `offset`, after `previous_offset`.
    #[must_use]
    pub fn new(draft: Draft, offset: u64, previous_offset: u64, time: UnixMillis) -> Self {
        let Draft { channel, event, sealed, tenant: _, id: _ } = draft;
        let message = ToClient::Publication(wire::Publication {
            channel_id: channel.into(),
            offset,
            previous_offset,
            time_ms: time.0,
            event: event.clone(),
            sealed,
        });
        let (frame, message_start) = websocket::encode_message(&message);
        Self { channel, offset, event: event.into_boxed_str(), frame, message_start }
    }

    /// The same, counted for as long as anybody holds its frame.
    pub(super) fn counted(self, memory: &Arc<Memory>) -> Self {
        Self { frame: memory.count(self.frame), ..self }
    }

    /// The channel it is on.
    #[must_use]
    pub fn channel(&self) -> ChannelId {
        self.channel
    }

    /// Its place within the epoch.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The label that subscribers can filter by.
    #[must_use]
    pub fn event(&self) -> &str {
        &self.event
    }

    /// The complete WebSocket frame, the same for every subscriber.
    #[must_use]
    pub fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// The message inside the frame, as a WebSocket client hands it out.
    #[must_use]
    pub fn message(&self) -> Bytes {
        self.frame.slice(self.message_start..)
    }
}

impl fmt::Debug for Publication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publication")
            .field("channel", &self.channel)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}
