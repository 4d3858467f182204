//! From a publication on the wire to the app: continuity first, then the key, then the opening. Order is kept throughout.

use crate::{
    Client, ClientError, Event, Gap, Instant, Message, Notice, Now, SessionReason, SubscriptionId,
    channel::{Channel, Wire},
    connection::Phase,
    inbox::{Content, Item},
    opening::Opening,
    subscription::Progress,
};
use sealwire_protocol::{
    ChannelId, ClaimsKeyring, Code, KeyId, OpenedMessage, SealedMessage,
    wire::{Position, Publication},
};

/// Why a message is not opened.
enum Closed {
    /// Its key is not among the channel's.
    UnknownKey(KeyId),
    /// Only another channel token has its key, and there is no function that provides one.
    NeedsToken,
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
            let mut opened = match &item.content {
                Content::Notice(_) => None,
                Content::Publication(_, _, Opening::Elsewhere(_)) if waits => return,
                Content::Publication(publication, position, opening) => {
                    Some(open(channel, id, publication, *position, opening))
                }
            };
            if let Some(Err(Closed::UnknownKey(key))) = opened {
                match self.await_key(now, id, key) {
                    Ok(true) if waits => return,
                    Ok(_) => {}
                    Err(closed) => opened = Some(Err(closed)),
                }
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
            (Some(Err(Closed::NeedsToken)), _) => unreadable(
                "a message could not be opened: the encryption key was rotated after the channel token was signed; \
                 subscribe with a function as token, or call refreshToken() with a fresh one",
            ),
            // One error for every other way in which a message is not opened.
            (Some(Err(_)), _) | (None, Content::Publication(..)) => {
                unreadable("a message could not be opened")
            }
        };
        self.events.push_back(Event::Notice { subscriptions, notice });
    }

    /// Asks for a key that a message of a channel needs, and returns whether the message waits for it.
    fn await_key(&mut self, now: Now, id: ChannelId, key: KeyId) -> Result<bool, Closed> {
        if matches!(self.phase, Phase::Idle | Phase::Closed) {
            return Ok(false);
        }
        let mut waits = true;
        if self.session.as_ref().is_none_or(|session| !session.has_key(key)) {
            waits = self.sessions.missing.want(now.instant, key, &mut *self.entropy);
        }
        let renews = !self.renewing_members(id).is_empty();
        let Some(channel) = self.channels.get_mut(&id) else { return Ok(false) };
        let lacks = |claims: &ClaimsKeyring| claims.find(key).is_none();
        if channel.spec.claims.as_ref().is_some_and(lacks) {
            if !renews {
                return Err(Closed::NeedsToken);
            }
            waits &= channel.missing.want(now.instant, key, &mut *self.entropy);
        }
        Ok(waits)
    }

    /// Asks for keys that are due, and lets go of messages that have waited for too long.
    pub(crate) fn fetch_keys(&mut self, now: Now) {
        if self.sessions.missing.take_due(now.instant) {
            self.need_session(now, SessionReason::UnknownKey);
        }
        for id in self.channels.keys() {
            let due = self.channels.get_mut(&id).is_some_and(|channel| channel.missing.take_due(now.instant));
            if due
                && !self.need_token(now, id)
                && let Some(channel) = self.channels.get_mut(&id)
            {
                channel.missing.not_asked();
            }
        }
        self.deliver_all(now);
    }

    /// When keys are to be asked for, or messages have waited for them for long enough.
    pub(crate) fn keys_deadline(&self) -> Option<Instant> {
        let channels = self.channels.values().filter_map(|channel| channel.missing.deadline());
        channels.chain(self.sessions.missing.deadline()).min()
    }
}

fn unreadable(message: &str) -> Notice {
    Notice::Error(ClientError::new(Code::MessageUnreadable, message))
}

fn open(
    channel: &Channel,
    id: ChannelId,
    publication: &Publication,
    position: Position,
    opening: &Opening,
) -> Result<Message, Closed> {
    let opened = match opening {
        Opening::Done(plaintext) => OpenedMessage::read(plaintext),
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
