//! The encoding of a state or a batch of changes, in pieces that each fit one message.

use super::{MemberId, member::Member};
use crate::{memory::Memory, websocket};
use bytes::Bytes;
use sealwire_protocol::{
    ChannelId,
    limits::{MAX_PRESENCE_FRAME, MEMBER_ID},
    wire::{Presence, PresenceEntry, ToClient},
};
use std::{mem, sync::Arc};

/// The most bytes of a piece besides its entries and ids.
const HEADER: usize = 64;
/// The most bytes of an entry besides its sealed bytes.
const ENTRY: usize = 48;
/// The bytes of the id of a member that left.
const LEFT: usize = MEMBER_ID + 2;

/// Collects the pieces of one state or one batch.
pub(super) struct Pieces {
    piece: Presence,
    /// The most bytes of `piece`.
    len: usize,
    done: Vec<Presence>,
}

impl Pieces {
    pub(super) fn new(channel: ChannelId, version: u64, is_state: bool) -> Self {
        let (channel_id, entries, left) = (channel.into(), Vec::new(), Vec::new());
        let piece = Presence { channel_id, version, is_state, more: false, entries, left };
        Self { piece, len: HEADER, done: Vec::new() }
    }

    pub(super) fn push_entry(&mut self, id: &MemberId, member: &Member, in_grace: bool) {
        self.make_room(ENTRY + member.sealed.len());
        let (number, sealed) = (member.number, member.sealed.clone());
        let member = Bytes::copy_from_slice(id);
        self.piece.entries.push(PresenceEntry { member, number, sealed, in_grace });
    }

    pub(super) fn push_left(&mut self, id: &MemberId) {
        self.make_room(LEFT);
        self.piece.left.push(Bytes::copy_from_slice(id));
    }

    /// Returns whether nothing was pushed.
    pub(super) fn is_empty(&self) -> bool {
        self.piece.entries.is_empty() && self.piece.left.is_empty()
    }

    /// Encodes the pieces as frames, which the budget counts until every queue has written them.
    pub(super) fn encode(self, memory: &Arc<Memory>) -> Vec<Bytes> {
        let pieces = self.done.into_iter().chain([self.piece]);
        pieces.map(|piece| memory.count(websocket::encode_message(&ToClient::Presence(piece)).0)).collect()
    }

    fn make_room(&mut self, len: usize) {
        if self.len + len > MAX_PRESENCE_FRAME {
            let next = Presence { entries: Vec::new(), left: Vec::new(), ..self.piece.clone() };
            let full = mem::replace(&mut self.piece, next);
            self.done.push(Presence { more: true, ..full });
            self.len = HEADER;
        }
        self.len += len;
    }
}
