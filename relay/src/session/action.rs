//! The actions that the session state machine asks its driver to perform.

use super::EventFilter;
use crate::{
    channel_name::ChannelName,
    hub::Draft,
    identity::Identity,
    presence::{Entry, MemberId, Owner},
    tenant::Tenant,
};
use sealwire_protocol::{
    ChannelId, CloseCode, Code,
    wire::{Since, ToClient},
};
use std::{collections::VecDeque, time::Instant};

/// An action for the driver, which performs them in order.
#[derive(Clone, Debug, PartialEq)]
pub enum SessionAction {
    /// Sends a message to the client.
    Send(ToClient),
    /// Subscribes to a channel. The driver then calls
    /// [`SessionRules::handle_subscribed`](super::SessionRules::handle_subscribed), performs the resulting actions, and
    /// sends the replay, unless [`Self::Unsubscribe`] was among those actions. A repeated subscribe replaces the
    /// subscription.
    Subscribe {
        /// The channel.
        channel: ChannelId,
        /// The tenant of the channel.
        tenant: Tenant,
        /// The position or time to replay from.
        since: Option<Since>,
        /// The filter of publications to send.
        events: EventFilter,
    },
    /// Unsubscribes from a channel.
    Unsubscribe(ChannelId),
    /// Publishes a draft. The driver then calls
    /// [`SessionRules::handle_published`](super::SessionRules::handle_published).
    Publish(Publishing),
    /// Changes the presence of a channel. Boxed, because it is rare.
    Presence(Box<PresenceAction>),
    /// Tells an observer the name of a channel, before the first action with it. Boxed, because it is rare.
    Name(Box<ChannelName>),
    /// Writes a refused attempt to the audit log.
    Audit(Refusal),
    /// Closes the connection with this code, once everything before it was sent. No action follows.
    Close(CloseCode),
}

/// A change of a channel's presence. If the session ends without a [`Self::Leave`], the driver begins the grace time of its
/// members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PresenceAction {
    /// Enters a member, or replaces its entry. The driver then calls
    /// [`SessionRules::handle_entered`](super::SessionRules::handle_entered).
    Enter {
        /// The number of the request.
        request: u32,
        /// The channel.
        channel: ChannelId,
        /// The account of the member.
        owner: Owner,
        /// The entry.
        entry: Entry,
        /// The expiry of the member's tokens.
        expires: Instant,
    },
    /// Removes a member at once.
    Leave {
        /// The number of the request, with which the driver then calls
        /// [`SessionRules::handle_left`](super::SessionRules::handle_left); `None` if the client did not ask.
        request: Option<u32>,
        /// The channel.
        channel: ChannelId,
        /// The account of the member.
        owner: Owner,
        /// The member.
        member: MemberId,
    },
    /// Sets the expiry of a member's tokens.
    Extend {
        /// The channel.
        channel: ChannelId,
        /// The member.
        member: MemberId,
        /// The expiry.
        expires: Instant,
    },
    /// Begins the grace time of a member, although its session continues.
    Depart {
        /// The channel.
        channel: ChannelId,
        /// The member.
        member: MemberId,
    },
    /// Sends the client all members of a channel, and their changes from then on.
    Watch(ChannelId),
    /// Ends the watching of a channel.
    Unwatch(ChannelId),
}

/// A draft on its way to the broker.
#[derive(Clone, Debug)]
pub struct Publishing(pub Draft);

impl PartialEq for Publishing {
    fn eq(&self, other: &Self) -> bool {
        (self.0.channel, self.0.id) == (other.0.channel, other.0.id)
    }
}

/// A refused attempt, for the audit log. Contains no token, payload or channel name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The kind of attempt: `connect`, `hello`, `refresh`, `subscribe`, `publish`, `presence`, `frame` (not a valid message) or
    /// `reload` (its signing key was removed).
    pub attempt: &'static str,
    /// The reason.
    pub code: Code,
    /// The client, if its token was verified.
    pub identity: Option<Identity>,
}

/// The actions that wait for the driver. A session without any holds no memory for them.
#[derive(Default)]
pub(super) struct Actions(Option<Box<WaitingActions>>);

#[derive(Default)]
struct WaitingActions {
    /// The first action; stored inline, because most inputs cause one.
    first: Option<SessionAction>,
    rest: VecDeque<SessionAction>,
}

impl Actions {
    pub(super) fn push_back(&mut self, action: SessionAction) {
        let waiting = self.0.get_or_insert_default();
        if waiting.first.is_none() && waiting.rest.is_empty() {
            waiting.first = Some(action);
        } else {
            waiting.rest.push_back(action);
        }
    }

    pub(super) fn pop_front(&mut self) -> Option<SessionAction> {
        let waiting = self.0.as_mut()?;
        let action = waiting.first.take().or_else(|| waiting.rest.pop_front());
        if waiting.rest.is_empty() {
            self.0 = None;
        }
        action
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_first_in_first_out_and_leave_no_memory_behind() {
        let close = SessionAction::Close;
        let mut actions = Actions::default();
        actions.push_back(close(CloseCode::Unavailable));
        actions.push_back(close(CloseCode::TooManyRequests));
        assert_eq!(actions.pop_front(), Some(close(CloseCode::Unavailable)));
        actions.push_back(close(CloseCode::Unauthorized));
        assert_eq!(actions.pop_front(), Some(close(CloseCode::TooManyRequests)));
        assert_eq!(actions.pop_front(), Some(close(CloseCode::Unauthorized)));
        assert!(actions.0.is_none() && actions.pop_front().is_none());
    }
}
