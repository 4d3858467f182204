//! Requests on the current connection that the relay has not answered.

use crate::{
    Instant,
    event::{EnterId, PublishId, RefreshId, SubscriptionId},
    state::vec_map::VecMap,
};
use sealwire_protocol::{ChannelId, ClaimsKeyring};

pub(crate) enum Request {
    Subscribe(ChannelId),
    /// An unsubscribe, with the subscription whose `unsubscribe` call waits for the answer.
    Unsubscribe(Option<SubscriptionId>),
    /// A publish, which has its own deadline.
    Publish(PublishId),
    RefreshSession,
    /// The entry of the page's member in a presence.
    Enter(ChannelId),
    /// The end of the page's member in a presence.
    Leave(EnterId),
    RefreshToken {
        channel: ChannelId,
        claims: ClaimsKeyring,
        source: TokenSource,
    },
}

/// The source of a channel token that the client sends to the relay.
#[derive(Clone, Copy)]
pub(crate) enum TokenSource {
    /// A `refresh_token` call for this subscription.
    Refresh(RefreshId, SubscriptionId),
    /// The app's token function for this subscription.
    Renewal(SubscriptionId),
    /// A subscription that joins a channel which the relay has already confirmed.
    Subscription(SubscriptionId),
    /// The client itself, because this token lasts longer than the one that the relay has.
    Channel,
}

/// A request without an answer.
struct PendingRequest {
    sent_at: Instant,
    deadline: Instant,
    request: Request,
}

#[derive(Default)]
pub(crate) struct Requests {
    last_number: u32,
    pending: VecMap<u32, PendingRequest>,
    /// The time of the relay's last answer, to a request or to a `Ping`.
    last_answer_at: Option<Instant>,
}

impl Requests {
    /// Adds a request. Returns its number.
    pub(crate) fn add(&mut self, sent_at: Instant, deadline: Instant, request: Request) -> u32 {
        self.last_number = self.last_number.checked_add(1).unwrap_or(1);
        self.pending.insert(self.last_number, PendingRequest { sent_at, deadline, request });
        self.last_number
    }

    /// Removes the request that the relay answered.
    pub(crate) fn take(&mut self, number: u32) -> Option<Request> {
        self.pending.remove(&number).map(|pending| pending.request)
    }

    /// Records that the relay answered a request or a `Ping`.
    pub(crate) fn note_answer(&mut self, now: Instant) {
        self.last_answer_at = Some(now);
    }

    /// Returns the instant at which the oldest request has waited for `ms` without any answer from the relay.
    pub(crate) fn unanswered_for(&self, ms: u64) -> Option<Instant> {
        let oldest = self.pending.values().map(|pending| pending.sent_at).min()?;
        Some(self.last_answer_at.map_or(oldest, |answered| answered.max(oldest)).after(ms))
    }

    /// Returns the earliest deadline, except those of publications.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.pending
            .values()
            .filter(|pending| !matches!(pending.request, Request::Publish(_)))
            .map(|pending| pending.deadline)
            .min()
    }

    /// Moves deadlines that have passed to `later`.
    pub(crate) fn postpone(&mut self, now: Instant, later: Instant) {
        for pending in self.pending.values_mut() {
            if pending.deadline <= now {
                pending.deadline = later;
            }
        }
    }

    /// Removes the publish requests that `matches` selects. The client ignores their answers.
    pub(crate) fn forget_publishes(&mut self, matches: impl Fn(PublishId) -> bool) {
        self.pending.retain(|_, pending| !matches!(pending.request, Request::Publish(id) if matches(id)));
    }

    /// Returns true if an `unsubscribe` call waits for the relay's answer.
    pub(crate) fn has_unsubscribe_call(&self) -> bool {
        self.pending.values().any(|pending| matches!(pending.request, Request::Unsubscribe(Some(_))))
    }

    /// Returns true if the relay has yet to answer a request to watch or enter this presence.
    pub(crate) fn has_presence_request(&self, id: ChannelId) -> bool {
        let matches = |request: &Request| match request {
            Request::Subscribe(of) | Request::Enter(of) => *of == id,
            _ => false,
        };
        self.pending.values().any(|pending| matches(&pending.request))
    }

    /// Returns true if the relay has yet to answer a token of this channel.
    pub(crate) fn has_token_of_channel(&self, id: ChannelId) -> bool {
        let matches =
            |request: &Request| matches!(request, Request::RefreshToken { channel, .. } if *channel == id);
        self.pending.values().any(|pending| matches(&pending.request))
    }

    /// Returns true if the relay has yet to answer a new token of this subscription.
    pub(crate) fn has_token_of_subscription(&self, id: SubscriptionId) -> bool {
        self.pending.values().any(|pending| match &pending.request {
            Request::RefreshToken { source, .. } => match source {
                TokenSource::Refresh(_, of) | TokenSource::Renewal(of) => *of == id,
                TokenSource::Subscription(_) | TokenSource::Channel => false,
            },
            _ => false,
        })
    }

    /// Removes all requests, because the connection that carried them is gone.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = Request> + use<> {
        self.last_answer_at = None;
        core::mem::take(&mut self.pending).into_values().map(|pending| pending.request)
    }
}
