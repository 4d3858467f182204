//! A message before and after the hub accepted it: the draft as published, and the publication with its position in the
//! channel's history.

use crate::{memory::Memory, tenant::Tenant, trace_context::TraceContext, websocket};
use bytes::Bytes;
use sealwire_protocol::{
    ChannelId, UnixMillis, limits,
    wire::{self, Position, ToClient},
};
use std::{fmt, sync::Arc};

/// An id that the sender chooses for a message, so that the hub recognises a repeated publish.
pub type IdempotencyId = [u8; limits::IDEMPOTENCY_ID];

/// A digest by which the hub recognises the content of a repeated publish whose sealed bytes differ.
pub type ContentDigest = [u8; limits::CONTENT];

/// A message that may be published on a channel and has no position there yet.
#[derive(Clone)]
pub struct Draft {
    /// The channel.
    pub channel: ChannelId,
    /// The tenant of the channel.
    pub tenant: Tenant,
    /// The event name, by which subscribers can filter.
    pub event: String,
    /// The sealed message, as the sender sent it.
    pub sealed: Bytes,
    /// The idempotency id of this message on this channel. A repeated publish has the same id.
    pub id: IdempotencyId,
    /// The digest of the content, if the sender names one. A repeated publish has the same digest.
    pub content: Option<ContentDigest>,
    /// The span that publishes the message, if it belongs to a recorded trace. A broker passes it on with the message.
    pub trace: Option<Box<TraceContext>>,
}

impl Draft {
    /// Returns the bytes that distinguish this message from others with its id and event.
    pub(crate) fn identity(&self) -> &[u8] {
        identity(self.content.as_ref(), &self.sealed)
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("channel", &self.channel)
            .field("sealed", &self.sealed.len())
            .finish_non_exhaustive()
    }
}

/// Returns the digest of a message's content, or else its sealed bytes. The two are never equal, since a sealed message is
/// longer.
pub(crate) fn identity<'a>(content: Option<&'a ContentDigest>, sealed: &'a [u8]) -> &'a [u8] {
    content.map_or(sealed, |digest| digest)
}

/// The position and time at which the hub accepted a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishReceipt {
    /// The position.
    pub position: Position,
    /// The time on the relay's wall clock.
    pub time: UnixMillis,
}

/// A message with its position in the channel, encoded once for all subscribers and for replay.
pub struct Publication {
    channel: ChannelId,
    offset: u64,
    time: UnixMillis,
    event: Box<str>,
    frame: Bytes,
    message_start: usize,
    trace: Option<Box<TraceContext>>,
}

impl Publication {
    /// Encodes a draft that was accepted at `offset`; `previous_offset` is the channel's publication before it.
    #[must_use]
    pub fn new(draft: Draft, offset: u64, previous_offset: u64, time: UnixMillis) -> Self {
        let Draft { channel, event, sealed, trace, tenant: _, id: _, content: _ } = draft;
        let message = ToClient::Publication(wire::Publication {
            channel_id: channel.into(),
            offset,
            previous_offset,
            time_ms: time.0,
            event: event.clone(),
            sealed,
        });
        let (frame, message_start) = websocket::encode_message(&message);
        Self { channel, offset, time, event: event.into_boxed_str(), frame, message_start, trace }
    }

    /// Accounts the frame's memory until its last clone is dropped.
    pub(super) fn counted(self, memory: &Arc<Memory>) -> Self {
        Self { frame: memory.count(self.frame), ..self }
    }

    /// Returns the channel.
    #[must_use]
    pub fn channel(&self) -> ChannelId {
        self.channel
    }

    /// Returns the offset within the epoch.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns the time at which the message was accepted.
    #[must_use]
    pub fn time(&self) -> UnixMillis {
        self.time
    }

    /// Returns the event name, by which subscribers can filter.
    #[must_use]
    pub fn event(&self) -> &str {
        &self.event
    }

    /// Returns the complete WebSocket frame, the same for every subscriber.
    #[must_use]
    pub fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// Returns the message inside the frame, without the WebSocket header.
    #[must_use]
    pub fn message(&self) -> Bytes {
        self.frame.slice(self.message_start..)
    }

    /// Returns the span that published the message, if it belongs to a recorded trace.
    #[must_use]
    pub fn trace(&self) -> Option<&TraceContext> {
        self.trace.as_deref()
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
