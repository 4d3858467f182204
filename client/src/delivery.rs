//! From a publication on the wire to the app: continuity first, then the key, then the opening. Order is kept throughout.

use crate::{
    Client, ClientError, Event, Gap, Message, Notice, Now, SubscriptionId,
    channel::{Channel, Wire},
    inbox::{Content, Item},
    opening::Opening,
    subscription::Progress,
};
use sealwire_protocol::{
    ChannelId, Code, KeyId, Opened, SealedMessage,
    wire::{Position, Publication},
};

/// Why a message is not opened.
enum Closed {
    /// Its key is not among the channel's.
    UnknownKey(KeyId),
    /// It is not what was sealed for this channel.
    Unreadable,
}

impl Client {
    /// A publication came.
    pub(crate) fn received(&mut self, now: Now, publication: Publication) {
        let id = publication.channel_id();
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let joined = matches!(channel.wire, Wire::Live | Wire::AwaitingSubscribed { rejoins: true, .. });
        let (Some(tip), true) = (channel.tip, joined) else { return };
        let position = Position { offset: publication.offset, ..tip };
        channel.reach(position);
        let mut gaps: Vec<(Gap, Vec<SubscriptionId>)> = Vec::new();
        let mut recipients = Vec::new();
        for member in &channel.members {
            let Some(subscription) = self.subscriptions.get_mut(member) else { continue };
            let Progress::Live(_, continuity) = &mut subscription.progress else { continue };
            let Publication { offset, previous_offset, time_ms, .. } = publication;
            let arrival = continuity.take(now.instant, offset, previous_offset, time_ms);
            if let Some(gap) = arrival.gap {
                match gaps.iter_mut().find(|(other, _)| *other == gap) {
                    Some((_, members)) => members.push(*member),
                    None => gaps.push((gap, vec![*member])),
                }
            }
            if arrival.wanted {
                recipients.push(*member);
            }
        }
        for (gap, recipients) in gaps {
            channel.inbox.push(Item { recipients, content: Content::Notice(Notice::Gap(gap)) });
        }
        if !recipients.is_empty() {
            let opening = self.open_elsewhere(id, &publication);
            let item = Item { recipients, content: Content::Publication(publication, position, opening) };
            if let Some(channel) = self.channels.get_mut(&id) {
                channel.inbox.push(item);
            }
        }
        self.deliver(now, id, false);
    }

    pub(crate) fn deliver_all(&mut self, now: Now) {
        for id in self.channels.keys() {
            self.deliver(now, id, false);
        }
    }

    /// Hands on what a channel received, up to a message whose key may still come. `now_or_never` waits for none.
    pub(crate) fn deliver(&mut self, now: Now, id: ChannelId, now_or_never: bool) {
        while let Some(channel) = self.channels.get(&id) {
            let Some(item) = channel.inbox.front() else { return };
            let waits = !now_or_never && !channel.inbox.is_over_full();
            let opened = match &item.content {
                Content::Notice(_) => None,
                Content::Publication(_, _, Opening::Elsewhere(_)) if waits => return,
                Content::Publication(publication, position, opening) => {
                    Some(open(channel, id, publication, *position, opening))
                }
            };
            if let Some(Err(Closed::UnknownKey(key))) = opened
                && waits
                && self.await_key(now, key)
            {
                return;
            }
            self.hand_on(id, opened);
        }
    }

    fn hand_on(&mut self, id: ChannelId, opened: Option<Result<Message, Closed>>) {
        let Some(item) = self.channels.get_mut(&id).and_then(|channel| channel.inbox.pop()) else { return };
        let mut subscriptions = item.recipients;
        subscriptions.retain(|subscription| self.subscriptions.contains(subscription));
        if subscriptions.is_empty() {
            return;
        }
        let notice = match (opened, item.content) {
            (Some(Ok(message)), _) => {
                return self.events.push_back(Event::Message { subscriptions, message });
            }
            (None, Content::Notice(notice)) => notice,
            // One error for every way in which a message is not opened.
            (Some(Err(_)), _) | (None, Content::Publication(..)) => {
                Notice::Error(ClientError::new(Code::MessageUnreadable, "a message could not be opened"))
            }
        };
        self.events.push_back(Event::Notice { subscriptions, notice });
    }

    /// The keys that messages wait for.
    pub(crate) fn unknown_keys(&self) -> Vec<KeyId> {
        let items =
            self.channels.values().flat_map(|channel| channel.inbox.iter().map(move |item| (channel, item)));
        items
            .filter_map(|(channel, item)| match &item.content {
                Content::Publication(publication, ..) => {
                    let key = SealedMessage::parse(&publication.sealed).ok()?.key_id();
                    channel.key(key).is_none().then_some(key)
                }
                Content::Notice(_) => None,
            })
            .collect()
    }
}

fn open(
    channel: &Channel,
    id: ChannelId,
    publication: &Publication,
    position: Position,
    opening: &Opening,
) -> Result<Message, Closed> {
    let opened = match opening {
        Opening::Done(plaintext) => Opened::read(plaintext),
        Opening::Here | Opening::Elsewhere(_) => {
            let sealed = SealedMessage::parse(&publication.sealed).map_err(|_| Closed::Unreadable)?;
            let key = channel.key(sealed.key_id()).ok_or(Closed::UnknownKey(sealed.key_id()))?;
            sealed.open(key, id, &publication.event)
        }
    };
    let opened = opened.map_err(|_| Closed::Unreadable)?;
    Ok(Message {
        payload: opened.payload,
        position,
        time_ms: publication.time_ms,
        published_at_ms: if opened.published_at.0 == 0 { publication.time_ms } else { opened.published_at.0 },
        event: publication.event.clone(),
        channel: channel.spec.name.clone(),
    })
}
