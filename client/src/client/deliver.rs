//! Delivery of publications to the app: continuity first, then the key, then the decryption. The order is kept throughout.

use crate::{
    Client, ClientError, Event, Gap, Message, Notice, Now, SubscriptionId,
    state::{
        channel::Channel,
        reorder_buffer::{Content, Decryption, Entry},
    },
};
use sealwire_protocol::{
    ChannelId, Code, KeyId, OpenedMessage, SealedMessage,
    wire::{Position, Publication},
};

/// The reason why a message is not decrypted.
pub(super) enum DecryptError {
    /// The channel lacks the key.
    UnknownKey(KeyId),
    /// Only another channel token contains the key, and no function of the app provides one.
    NeedsToken,
    /// The message was not sealed for this channel.
    Unreadable,
}

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
        while let Some(channel) = self.channels.get(&id) {
            let Some(entry) = channel.buffer.front() else { return };
            let may_wait = !is_last && !channel.buffer.is_over_full();
            let mut decrypted = match &entry.content {
                Content::Notice(_) => None,
                Content::Publication(_, _, Decryption::Requested(_)) if may_wait => return,
                Content::Publication(publication, _, decryption) => {
                    Some(decrypt(channel, id, publication, decryption))
                }
            };
            if let Some(Err(DecryptError::UnknownKey(key))) = decrypted {
                match self.await_key(now, id, key) {
                    Ok(true) if may_wait => return,
                    Ok(_) => {}
                    Err(error) => decrypted = Some(Err(error)),
                }
            }
            if let Some(Ok(opened)) = &decrypted
                && may_wait
                && self.awaits_time(now, opened)
            {
                return;
            }
            self.deliver_front(now, id, decrypted);
        }
    }

    /// Removes the front of a channel's buffer and emits its events.
    fn deliver_front(
        &mut self,
        now: Now,
        id: ChannelId,
        decrypted: Option<Result<OpenedMessage, DecryptError>>,
    ) {
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let Some(entry) = channel.buffer.pop() else { return };
        let name = channel.name().to_owned();
        let mut subscriptions = entry.recipients;
        subscriptions.retain(|subscription| self.subscriptions.contains(subscription));
        if subscriptions.is_empty() {
            return;
        }
        let notice = match (decrypted, entry.content) {
            (Some(Ok(opened)), Content::Publication(publication, position, _)) => {
                let recipients = self.judge(now, &opened, subscriptions, &publication, position);
                return self.emit_message(name, opened, recipients, publication, position);
            }
            (_, Content::Notice(notice)) => notice,
            (Some(Err(DecryptError::NeedsToken)), _) => unreadable(
                "a message could not be opened: the encryption key was rotated after the channel token was signed; \
                 subscribe with a function as token, or call refreshToken() with a fresh one",
            ),
            // All other reasons share one error, which says nothing about the cause.
            (_, Content::Publication(..)) => unreadable("a message could not be opened"),
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

fn decrypt(
    channel: &Channel,
    id: ChannelId,
    publication: &Publication,
    decryption: &Decryption,
) -> Result<OpenedMessage, DecryptError> {
    let sealed = SealedMessage::parse(&publication.sealed).map_err(|_| DecryptError::Unreadable)?;
    let opened = match decryption {
        Decryption::Done(plaintext) => OpenedMessage::read(sealed.sender(), plaintext),
        Decryption::Local | Decryption::Requested(_) => {
            let key_id = sealed.key_id();
            let key = channel.key(key_id).ok_or(DecryptError::UnknownKey(key_id))?;
            sealed.open(key, id, &publication.event)
        }
    };
    opened.map_err(|_| DecryptError::Unreadable)
}
