//! The activity of a relay, for an observer in the same process: the log of `sealwire-relay dev`. It has names of channels and
//! ids of accounts, which the logs of a relay never have, so nothing but the embedding program can turn it on.

use crate::{channel_name::ChannelName, identity::Identity, member_id::MemberId, session_id::SessionId};
use sealwire_protocol::{ChannelId, Code};
use std::{net::IpAddr, sync::Arc, time::Duration};

/// Receives the activity of a relay. Connections call it while they serve a client, so it must not block.
pub trait Observer: Send + Sync {
    /// Handles one activity.
    fn observe(&self, activity: &Activity<'_>);
}

/// Something that a client did or that happened to it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Activity<'a> {
    /// The token of a session was accepted.
    Opened {
        /// The session.
        session: SessionId,
        /// The app, installation and account of its token.
        identity: &'a Identity,
        /// The address of the client.
        remote: IpAddr,
    },
    /// The relay ends a session for this reason.
    Goodbye {
        /// The session.
        session: SessionId,
        /// The reason; `None` for a code that this version does not know.
        code: Option<Code>,
    },
    /// A session has ended, and its subscriptions with it.
    Ended {
        /// The session.
        session: SessionId,
    },
    /// A client named a channel that it may use. Activities with the channel follow.
    Named(&'a ChannelName),
    /// A session subscribed to a channel, for the first time or again.
    Subscribed {
        /// The session.
        session: SessionId,
        /// The channel.
        channel: ChannelId,
        /// The number of earlier publications that follow.
        replayed: usize,
    },
    /// A session is not subscribed to a channel anymore.
    Unsubscribed {
        /// The session.
        session: SessionId,
        /// The channel.
        channel: ChannelId,
    },
    /// A publication was permitted, and goes to the broker.
    Published {
        /// The publishing session; `None` for `POST /v1/publish`.
        session: Option<SessionId>,
        /// The channel.
        channel: ChannelId,
        /// The event's name; empty without one.
        event: &'a str,
        /// The length of the sealed message, in bytes.
        sealed: usize,
    },
    /// A session entered a presence, returned to it, or changed its entry.
    PresenceEntered {
        /// The session.
        session: SessionId,
        /// The channel.
        channel: ChannelId,
        /// The id of the member.
        member: MemberId,
        /// The relation to what the presence had of this member.
        entrance: Entrance,
        /// The length of the sealed entry, in bytes.
        sealed: usize,
    },
    /// The session of a member broke, and the member stays for the grace time.
    PresenceBroken {
        /// The channel.
        channel: ChannelId,
        /// The id of the member.
        member: MemberId,
        /// The time after which it leaves unless it returns.
        grace: Duration,
    },
    /// A member left a presence: its session left, or its grace time has ended.
    PresenceLeft {
        /// The channel.
        channel: ChannelId,
        /// The id of the member.
        member: MemberId,
    },
    /// An attempt was refused.
    Refused {
        /// The kind of attempt, as in [`Refusal`](crate::Refusal).
        attempt: &'static str,
        /// The reason.
        code: Code,
        /// The client, if its token was verified.
        identity: Option<&'a Identity>,
        /// The address of the client.
        remote: IpAddr,
    },
}

/// The kind of an accepted request to enter a presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entrance {
    /// The presence did not have the member.
    New,
    /// The presence had the member, of another session.
    Returned,
    /// The same session replaced its entry.
    Updated,
}

/// The observer of a relay, if there is one.
#[derive(Clone, Default)]
pub(crate) struct Observation(Option<Arc<dyn Observer>>);

impl Observation {
    pub(crate) fn by(observer: Arc<dyn Observer>) -> Self {
        Self(Some(observer))
    }

    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn observe(&self, activity: &Activity<'_>) {
        if let Some(observer) = &self.0 {
            observer.observe(activity);
        }
    }
}
