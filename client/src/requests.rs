//! Requests on the current connection that the relay has not answered.

use crate::{
    Instant,
    event::{PublishId, RefreshId, SubscriptionId},
    table::Table,
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

#[derive(Default)]
pub(crate) struct Requests {
    last: u32,
    open: Table<u32, (Instant, Request)>,
}

impl Requests {
    /// Numbers a request.
    pub(crate) fn open(&mut self, deadline: Instant, request: Request) -> u32 {
        self.last = self.last.checked_add(1).unwrap_or(1);
        self.open.insert(self.last, (deadline, request));
        self.last
    }

    pub(crate) fn answer(&mut self, request: u32) -> Option<Request> {
        self.open.remove(&request).map(|(_, request)| request)
    }

    /// When the first one is overdue.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.open
            .values()
            .filter(|(_, request)| !matches!(request, Request::Publish(_)))
            .map(|(deadline, _)| *deadline)
            .min()
    }

    /// Gives those that are overdue until `later`.
    pub(crate) fn postpone(&mut self, now: Instant, later: Instant) {
        for (deadline, _) in self.open.values_mut() {
            if *deadline <= now {
                *deadline = later;
            }
        }
    }

    /// Answers to the publications that `which` picks are ignored.
    pub(crate) fn forget_publishes(&mut self, which: impl Fn(PublishId) -> bool) {
        self.open.retain(|_, (_, request)| !matches!(request, Request::Publish(id) if which(*id)));
    }

    pub(crate) fn waits_for_unsubscribe(&self) -> bool {
        self.open.values().any(|(_, request)| matches!(request, Request::Unsubscribe(Some(_))))
    }

    /// Whether the relay is being shown a token of this channel.
    pub(crate) fn shows_token_of(&self, id: ChannelId) -> bool {
        let shows =
            |request: &Request| matches!(request, Request::RefreshToken { channel, .. } if *channel == id);
        self.open.values().any(|(_, request)| shows(request))
    }

    /// Whether the relay is being shown the next token of this subscription.
    pub(crate) fn brings_token(&self, id: SubscriptionId) -> bool {
        self.open.values().any(|(_, request)| {
            matches!(request, Request::RefreshToken { asked_by: AskedBy::Refresh(_, of) | AskedBy::Renewal(of), .. } if *of == id)
        })
    }

    /// The connection is gone, and with it every answer.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = Request> + use<> {
        core::mem::take(&mut self.open).into_values().map(|(_, request)| request)
    }
}
