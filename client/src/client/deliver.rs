//! Delivery of publications to the app: continuity first, then the key, then the decryption. The order is kept throughout.

use crate::{
    Client, ClientError, Event, Gap, Message, Notice, Now, SubscriptionId,
    state::{
        channel::DecryptError,
        reorder_buffer::{Content, Decryption, Entry},
    },
};
use sealwire_protocol::{
    ChannelId, Code, OpenedMessage,
    wire::{Position, Publication},
};

/// The error for a key that only another channel token contains, and that no function of the app provides.
pub(super) struct NeedsToken;

impl Client {
    /// Handles a publication.
    pub(super) fn publication_received(&mut self, now: Now, publication: Publication) {
        let id = publication.channel_id();
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let (Some(head), true) = (channel.head(), channel.receives()) else { return };
        let position = Position { offset: publication.offset, time_ms: publication.time_ms, ..head };
        channel.advance_head(position);
        let mut gaps: Vec<(Gap, Vec<SubscriptionId>)> = Vec::new();
        let mut recipients = Vec::new();
        for member in channel.members() {
            let Some(subscription) = self.subscriptions.get_mut(member) else { continue };
            let Some(continuity) = subscription.continuity_mut() else { continue };
            let Publication { offset, previous_offset, time_ms, .. } = publication;
            let arrival = continuity.take(now.instant, offset, previous_offset, time_ms);
            if let Some(gap) = arrival.gap {
                match gaps.iter_mut().find(|(other, _)| *other == gap) {
                    Some((_, members)) => members.push(*member),
                    None => gaps.push((gap, vec![*member])),
                }
            }
            if arrival.is_wanted {
                recipients.push(*member);
            }
        }
        for (gap, recipients) in gaps {
            channel.buffer.push_notice(recipients, Notice::Gap(gap));
        }
        if !recipients.is_empty() {
            let decryption = self.start_decryption(id, &publication);
            let entry =
                Entry { recipients, content: Content::Publication(publication, position, decryption) };
            if let Some(channel) = self.channels.get_mut(&id) {
                channel.buffer.push(entry);
            }
        }
        self.deliver(now, id, false);
    }

    pub(super) fn deliver_all(&mut self, now: Now) {
        for id in self.channels.keys() {
            self.deliver(now, id, false);
        }
    }

    /// Delivers the buffered messages of a channel, up to one that waits for its key or for the host. If `is_last`, no message
    /// waits.
    pub(super) fn deliver(&mut self, now: Now, id: ChannelId, is_last: bool) {
        while let Some(channel) = self.channels.get_mut(&id) {
            let may_wait = !is_last && !channel.buffer.is_over_full();
            let Some(opening) = channel.open_front(id, may_wait) else { return };
            let mut needs_token = false;
            let waits = match opening {
                Ok(None) | Err(DecryptError::Unreadable) => false,
                Ok(Some(published_at)) => may_wait && self.awaits_time(now, published_at),
                Err(DecryptError::UnknownKey(key)) => match self.await_key(now, id, key) {
                    Ok(waits) => may_wait && waits,
                    Err(NeedsToken) => {
                        needs_token = true;
                        false
                    }
                },
            };
            if waits {
                return;
            }
            self.deliver_front(now, id, needs_token);
        }
    }

    /// Removes the front of a channel's buffer and emits its events.
    fn deliver_front(&mut self, now: Now, id: ChannelId, needs_token: bool) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let Some(entry) = channel.buffer.pop() else { return };
        let name = channel.name().to_owned();
        let mut subscriptions = entry.recipients;
        subscriptions.retain(|subscription| self.subscriptions.contains(subscription));
        if subscriptions.is_empty() {
            return;
        }
        let notice = match entry.content {
            Content::Publication(publication, position, Decryption::Done(opened)) => {
                let recipients = self.judge(now, &opened, subscriptions, &publication, position);
                return self.emit_message(name, *opened, recipients, publication, position);
            }
            Content::Notice(notice) => notice,
            Content::Publication(..) if needs_token => unreadable(
                "a message could not be opened: the encryption key was rotated after the channel token was signed; \
                 subscribe with a function as token, or call refreshToken() with a fresh one",
            ),
            // All other reasons share one error, which says nothing about the cause.
            Content::Publication(..) => unreadable("a message could not be opened"),
        };
        self.notify(subscriptions, notice);
    }

    fn emit_message(
        &mut self,
        channel: String,
        opened: OpenedMessage,
        subscriptions: Vec<SubscriptionId>,
        publication: Publication,
        position: Position,
    ) {
        if subscriptions.is_empty() {
            return;
        }
        let message = Message {
            payload: opened.payload,
            position,
            time_ms: publication.time_ms,
            published_at_ms: opened.published_at.0,
            event: publication.event,
            channel,
        };
        self.events.push_back(Event::Message { subscriptions, message });
    }
}

fn unreadable(message: &str) -> Notice {
    Notice::Error(ClientError::new(Code::MessageUnreadable, message))
}
