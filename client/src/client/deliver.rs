//! Delivery of publications to the app: continuity first, then the key, then the decryption. The order is kept throughout.

use crate::{
    Author, Client, ClientError, Event, Gap, Message, Notice, Now, SubscriptionId,
    client::opening::Patience,
    state::reorder_buffer::{Content, Entry, OpenError, Opening},
};
use sealwire_protocol::{
    ChannelId, Code,
    wire::{Position, Publication},
};

/// The text of the error for a message that could not be opened, for whatever reason.
const UNREADABLE: &str = "a message could not be opened";

impl Client {
    /// Handles a publication.
    #[inline(never)]
    pub(super) fn publication_received(&mut self, now: Now, publication: Publication) {
        let id = publication.channel_id();
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let (Some(head), true) = (channel.head(), channel.receives() && channel.presence.is_none()) else {
            return;
        };
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
            let opening = self.start_opening(id, &publication);
            let entry = Entry::new(recipients, Content::Publication(publication, position, opening));
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

    /// Delivers the buffered messages of a channel, up to one that waits. If `is_last`, no message waits.
    pub(super) fn deliver(&mut self, now: Now, id: ChannelId, is_last: bool) {
        self.open_waiting(now, id);
        while let Some(channel) = self.channels.get_mut(&id) {
            let patience = Patience {
                waits: !is_last && !channel.buffer.is_over_full(),
                waits_for_verification: !is_last && !channel.buffer.is_over_full_for_verification(),
            };
            let Some(mut entry) = channel.buffer.pop() else { return };
            if let Content::Publication(publication, _, opening) = &mut entry.content
                && self.open(now, id, publication, opening, patience)
            {
                if let Some(channel) = self.channels.get_mut(&id) {
                    channel.buffer.put_back(entry);
                }
                return;
            }
            self.deliver_entry(now, id, entry);
        }
    }

    /// Emits the events of an entry.
    fn deliver_entry(&mut self, now: Now, id: ChannelId, entry: Entry) {
        let Some(channel) = self.channels.get(&id) else { return };
        let name = channel.name().to_owned();
        let mut subscriptions = entry.recipients;
        subscriptions.retain(|subscription| self.subscriptions.contains(subscription));
        if subscriptions.is_empty() {
            return;
        }
        let notice = match entry.content {
            Content::Publication(publication, position, Opening::Opened(opened)) => {
                let author = opened.signature.as_ref().map_or(Author::Unverified, Author::of);
                let names = self.identity.as_ref().map(|identity| &identity.names);
                match names.and_then(|names| names.event_name(&publication.event)) {
                    Some(event) => {
                        let recipients =
                            self.judge(now, &opened, &author, subscriptions, &publication, position);
                        if !recipients.is_empty() {
                            let message = Message {
                                payload: opened.payload,
                                position,
                                time_ms: publication.time_ms,
                                published_at_ms: opened.published_at.0,
                                author,
                                event,
                                channel: name,
                            };
                            self.events.push_back(Event::Message { subscriptions: recipients, message });
                        }
                        return;
                    }
                    // A member of the channel that does not tag names has published the message.
                    None => unreadable(UNREADABLE),
                }
            }
            Content::Notice(notice) => notice,
            Content::Publication(_, _, Opening::Failed(OpenError::NeedsToken)) => unreadable(
                "a message could not be opened: the encryption key was rotated after the channel token was signed; \
                 subscribe with a function as token, or call refreshToken() with a fresh one",
            ),
            Content::Publication(_, _, Opening::Failed(OpenError::FalseSignature)) => unreadable(
                "a message was refused: its signature is not that of a function or of a page with a valid certificate",
            ),
            // All other reasons share one error, which says nothing about the cause.
            Content::Publication(..) => unreadable(UNREADABLE),
        };
        self.notify(subscriptions, notice);
    }
}

fn unreadable(message: &str) -> Notice {
    Notice::Error(ClientError::new(Code::MessageUnreadable, message))
}
