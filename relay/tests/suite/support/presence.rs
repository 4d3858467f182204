//! Requests about presence, and the members that a watcher knows.

use super::{Client, channel};
use bytes::Bytes;
use sealwire_protocol::{
    ChannelId, Code,
    wire::{
        Channel, Presence, PresenceEnded, PresenceEnter, PresenceLeave, PresenceUnwatch, PresenceWatch,
        ToClient, ToRelay,
    },
};
use std::collections::BTreeMap;

/// Returns the id of a member.
pub fn member(number: u64) -> Bytes {
    let mut id = vec![3; 8];
    id.extend(number.to_be_bytes());
    id.into()
}

/// Returns a request to enter with an entry of `len` bytes, which consist of its number.
pub fn enter(request: u32, channel: Channel, id: u64, number: u64, len: usize) -> ToRelay {
    let sealed = vec![u8::try_from(number).unwrap(); len].into();
    ToRelay::PresenceEnter(PresenceEnter {
        request,
        channel: Some(channel),
        member: member(id),
        number,
        sealed,
    })
}

/// The members that a watcher knows, with the number of the entry of each.
#[derive(Debug, Default)]
pub struct Members {
    pub numbers: BTreeMap<Bytes, u64>,
    pub version: u64,
    /// True if pieces of the present state or batch are missing.
    is_partial: bool,
}

impl Members {
    /// Applies a message, which must continue the ones before.
    pub fn apply(&mut self, presence: &Presence) {
        if presence.is_state && !self.is_partial {
            self.numbers.clear();
        }
        let is_next = presence.version == self.version + u64::from(!self.is_partial);
        assert!(presence.is_state || is_next, "{} after {}", presence.version, self.version);
        for entry in &presence.entries {
            assert!(entry.sealed.iter().all(|byte| u64::from(*byte) == entry.number));
            self.numbers.insert(entry.member.clone(), entry.number);
        }
        for member in &presence.left {
            assert!(self.numbers.remove(member).is_some(), "a member left that was not there");
        }
        (self.version, self.is_partial) = (presence.version, presence.more);
    }
}

impl Client {
    /// Enters a channel. The next message is the answer.
    pub async fn try_enter(&mut self, channel: Channel, id: u64, number: u64, len: usize) -> ToClient {
        let request = self.request();
        self.send(enter(request, channel, id, number, len)).await;
        self.next().await
    }

    /// Enters a channel with an entry of 60 bytes.
    pub async fn enter(&mut self, name: &str, id: u64, number: u64) -> ChannelId {
        accepted(self.try_enter(channel(name), id, number, 60).await)
    }

    /// Sends a request to enter that must be refused with this code.
    pub async fn refused_enter(&mut self, channel: Channel, id: u64, number: u64, len: usize, code: Code) {
        must_refuse(self.try_enter(channel, id, number, len).await, code);
    }

    pub async fn try_leave(&mut self, channel: ChannelId, id: u64) -> ToClient {
        let request = self.request();
        let leave = PresenceLeave { request, channel_id: channel.into(), member: member(id) };
        self.send(ToRelay::PresenceLeave(leave)).await;
        self.next().await
    }

    pub async fn try_watch(&mut self, channel: Channel) -> ToClient {
        let request = self.request();
        self.send(ToRelay::PresenceWatch(PresenceWatch { request, channel: Some(channel) })).await;
        self.next().await
    }

    /// Watches a channel, and returns its id and its state, which must have one piece.
    pub async fn watch(&mut self, name: &str) -> (ChannelId, Presence) {
        let id = accepted(self.try_watch(channel(name)).await);
        let state = self.presence().await;
        assert!(state.is_state && !state.more && state.channel_id() == id);
        (id, state)
    }

    pub async fn unwatch(&mut self, channel: ChannelId) {
        let request = self.request();
        let unwatch = PresenceUnwatch { request, channel_id: channel.into() };
        self.send(ToRelay::PresenceUnwatch(unwatch)).await;
        assert_eq!(accepted(self.next().await), channel);
    }

    /// Returns the next message, which must be one with members.
    pub async fn presence(&mut self) -> Presence {
        match self.next().await {
            ToClient::Presence(presence) => presence,
            other => panic!("{other:?}"),
        }
    }

    /// Checks that the next message reports exactly these entries, and that exactly these members left.
    pub async fn must_see(&mut self, entries: &[(u64, u64)], left: &[u64]) {
        let presence = self.presence().await;
        assert!(!presence.is_state && !presence.more);
        let seen: Vec<_> =
            presence.entries.iter().map(|entry| (entry.member.clone(), entry.number)).collect();
        let entries: Vec<_> = entries.iter().map(|(id, number)| (member(*id), *number)).collect();
        let left: Vec<_> = left.iter().map(|id| member(*id)).collect();
        assert_eq!((seen, presence.left), (entries, left));
    }

    /// Checks that the relay ends the session's part in a presence with this code.
    pub async fn must_lose_presence(&mut self, channel: ChannelId, code: Code) {
        match self.next().await {
            ToClient::PresenceEnded(ended) => {
                let PresenceEnded { code: number, message, .. } = &ended;
                assert_eq!((ended.channel_id(), Code::from_number(*number)), (channel, Some(code)));
                assert!(message.len() > 10);
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Returns the channel of an accepted request.
pub fn accepted(answer: ToClient) -> ChannelId {
    match answer {
        ToClient::PresenceAccepted(accepted) => accepted.channel_id(),
        other => panic!("{other:?}"),
    }
}

pub fn must_refuse(answer: ToClient, code: Code) {
    match answer {
        ToClient::Failed(failed) => {
            assert_eq!(Code::from_number(failed.code), Some(code), "{failed:?}");
            assert!(failed.message.len() > 10);
        }
        other => panic!("{other:?}"),
    }
}
