//! Requests on the current connection that the relay has not answered.

use crate::{
    Instant,
    event::{PublishId, RefreshId, SubscriptionId},
    state::vec_map::Table,
};
use sealwire_protocol::{ChannelId, ClaimsKeyring};

pub(crate) enum Request {
    Subscribe(ChannelId),
    /// The subscription whose `unsubscribe` waits for it, if one does.
    Unsubscribe(Option<SubscriptionId>),
    /// Has its own deadline.
    Publish(PublishId),
    RefreshSession,
    RefreshToken {
        channel: ChannelId,
        claims: ClaimsKeyring,
        asked_by: AskedBy,
    },
}

/// Who brought a channel token.
#[derive(Clone, Copy)]
pub(crate) enum AskedBy {
    Refresh(RefreshId, SubscriptionId),
    /// The app's token function for this subscription.
    Renewal(SubscriptionId),
    /// A subscription that joins a channel which is there already.
    Subscription(SubscriptionId),
    /// Nobody: it is better than the one that the relay has.
    Channel,
}

/// A request that the relay has not answered.
struct Open {
    asked_at: Instant,
    deadline: Instant,
    request: Request,
}

#[derive(Default)]
pub(crate) struct Requests {
    last: u32,
    open: Table<u32, Open>,
    /// The moment of the relay's last answer to anything.
    answered_at: Option<Instant>,
}

impl Requests {
    /// Numbers a request.
    pub(crate) fn open(&mut self, asked_at: Instant, deadline: Instant, request: Request) -> u32 {
        self.last = self.last.checked_add(1).unwrap_or(1);
        self.open.insert(self.last, Open { asked_at, deadline, request });
        self.last
    }

    pub(crate) fn answer(&mut self, request: u32) -> Option<Request> {
        self.open.remove(&request).map(|open| open.request)
    }

    /// The relay answered a request or a `Ping`.
    pub(crate) fn answered(&mut self, now: Instant) {
        self.answered_at = Some(now);
    }

    /// The moment at which the oldest request has waited for `ms` without any answer of the relay.
    pub(crate) fn quiet_for(&self, ms: u64) -> Option<Instant> {
        let oldest = self.open.values().map(|open| open.asked_at).min()?;
        Some(self.answered_at.map_or(oldest, |answered| answered.max(oldest)).after(ms))
    }

    /// When the first one is overdue.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.open
            .values()
            .filter(|open| !matches!(open.request, Request::Publish(_)))
            .map(|open| open.deadline)
            .min()
    }

    /// Gives those that are overdue until `later`.
    pub(crate) fn postpone(&mut self, now: Instant, later: Instant) {
        for open in self.open.values_mut() {
            if open.deadline <= now {
                open.deadline = later;
            }
        }
    }

    /// Answers to the publications that `which` picks are ignored.
    pub(crate) fn forget_publishes(&mut self, which: impl Fn(PublishId) -> bool) {
        self.open.retain(|_, open| !matches!(open.request, Request::Publish(id) if which(id)));
    }

    pub(crate) fn waits_for_unsubscribe(&self) -> bool {
        self.open.values().any(|open| matches!(open.request, Request::Unsubscribe(Some(_))))
    }

    /// Whether the relay is being shown a token of this channel.
    pub(crate) fn shows_token_of(&self, id: ChannelId) -> bool {
        let shows =
            |request: &Request| matches!(request, Request::RefreshToken { channel, .. } if *channel == id);
        self.open.values().any(|open| shows(&open.request))
    }

    /// Whether the relay is being shown the next token of this subscription.
    pub(crate) fn brings_token(&self, id: SubscriptionId) -> bool {
        self.open.values().any(|open| {
            matches!(open.request, Request::RefreshToken { asked_by: AskedBy::Refresh(_, of) | AskedBy::Renewal(of), .. } if of == id)
        })
    }

    /// The connection is gone, and with it every answer.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Request> + use<> {
        self.answered_at = None;
        core::mem::take(&mut self.open).into_values().map(|open| open.request)
    }
}
