//! An open session: what it may join and publish, and what it has joined.

use super::{
    EventFilter, Identity, Joined, Publishing, Refusal, SessionAction, SessionConfig,
    deadlines::{Deadlines, Timer},
    event_filter::names_len,
    grant::Grant,
    subscriptions::{ChannelToken, Subscription, Subscriptions},
};
use crate::{
    auth::{
        access::{self, Namespace},
        revocations::Seen,
        signing_keys::Signed,
    },
    clock::Now,
    hub::Accepted,
    limits::SessionPermit,
    refused::Refused,
    tenant::Tenant,
};
use sealwire_protocol::{
    ChannelId, Code, UnixMillis, check_event_name, limits,
    tokens::{Permission, SessionClaims},
    wire::{
        Channel, Ended, Failed, Publish, Published, Since, Subscribe, Subscribed, ToClient, Unsubscribe,
        Unsubscribed,
    },
};
use std::collections::VecDeque;

/// Bytes of an open session besides its grant and its subscriptions; measured, and rounded up.
const OPEN: usize = 256;

pub(super) type Actions = VecDeque<SessionAction>;

pub(super) struct Open {
    pub(super) grant: Grant,
    pub(super) subscriptions: Subscriptions,
    /// Revocations up to this one did not mean the session.
    pub(super) seen: Seen,
    waiting: Option<Waiting>,
    /// Boxed, as few sessions have one.
    put_off: Option<Box<PutOff>>,
    place: SessionPermit,
}

/// The publication that was refused for a while and that has not come again.
struct PutOff {
    /// The request that the next publication must not follow.
    request: u32,
    refused: Refused,
}

/// The request whose answer hangs on the broker.
enum Waiting {
    /// Boxed, as an idle session has none.
    Join(Box<Joining>),
    Publish {
        request: u32,
    },
}

struct Joining {
    request: u32,
    channel: ChannelId,
    subscription: Subscription,
}

impl Open {
    pub(super) fn new(signed: &Signed<SessionClaims>, place: SessionPermit, seen: Seen) -> Self {
        let (grant, subscriptions) = (Grant::new(signed), Subscriptions::default());
        Self { grant, subscriptions, seen, waiting: None, put_off: None, place }
    }

    pub(super) fn place(&self) -> &SessionPermit {
        &self.place
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// Bytes of the session.
    pub(super) fn footprint(&self) -> usize {
        OPEN + self.grant.footprint() + self.subscriptions.footprint()
    }

    pub(super) fn identity(&self) -> Identity {
        let Namespace { app, installation } = self.namespace();
        Identity {
            app: app.to_owned(),
            installation: installation.to_owned(),
            account: Some(self.grant.account().to_owned()),
        }
    }

    fn tenant(&self) -> Tenant {
        self.place.tenant()
    }

    pub(super) fn namespace(&self) -> Namespace<'_> {
        self.grant.namespace()
    }

    pub(super) fn accepts(&self, channel: ChannelId, event: &str) -> bool {
        self.subscriptions.find(channel).is_some_and(|subscription| subscription.events.accepts(event))
    }

    pub(super) fn channel_expiries(&self) -> impl Iterator<Item = (ChannelId, UnixMillis)> {
        self.subscriptions.iter().filter_map(|(channel, subscription)| {
            Some((channel, subscription.token.as_ref()?.claims.exp.millis()))
        })
    }

    pub(super) fn subscribe(
        &mut self,
        message: Subscribe,
        terms: &SessionConfig,
        now: Now,
        actions: &mut Actions,
    ) {
        let Subscribe { request, channel, since, events } = message;
        match self.check_subscribe(&channel.unwrap_or_default(), since, &events, terms, now) {
            Ok((channel, token)) => {
                let (events, tenant) = (EventFilter::new(&events), self.tenant());
                actions.push_back(SessionAction::Join { channel, tenant, since, events: events.clone() });
                let subscription = Subscription { token, events };
                self.waiting = Some(Waiting::Join(Box::new(Joining { request, channel, subscription })));
            }
            Err(refused) => self.fail("subscribe", request, refused, actions),
        }
    }

    /// Takes a place among the subscriptions of the app for a channel that is not subscribed yet.
    fn check_subscribe(
        &mut self,
        channel: &Channel,
        since: Option<Since>,
        events: &[String],
        terms: &SessionConfig,
        now: Now,
    ) -> Result<(ChannelId, Option<ChannelToken>), Refused> {
        let (id, token) = self.resolve(channel, Permission::Subscribe, terms, now)?;
        events.iter().try_for_each(|event| check_event_name(event))?;
        self.check_filter(id, events)?;
        if let Some(Since::ReplaySeconds(seconds)) = since
            && u64::from(seconds) * 1000 > terms.replay_window.as_millis().try_into().unwrap_or(u64::MAX)
        {
            let message =
                format!("at most {:?} can be replayed here, {seconds} s were asked for", terms.replay_window);
            return Err(Refused::new(Code::ReplayTooLong, message));
        }
        if self.subscriptions.find(id).is_none() {
            let most = terms.limits.settings().max_subscriptions;
            if self.subscriptions.len() >= most {
                let message = format!("a session has at most {most} subscriptions; leave a channel first");
                return Err(Refused::new(Code::TooManySubscriptions, message));
            }
            terms.limits.check_memory(self.subscriptions.footprint())?;
            self.place.take_subscription()?;
        }
        Ok((id, token))
    }

    /// Refuses a filter that is too large, for itself or with the session's other filters.
    fn check_filter(&self, channel: ChannelId, events: &[String]) -> Result<(), Refused> {
        let len = names_len(events);
        if len > limits::MAX_FILTER_BYTES {
            let most = limits::MAX_FILTER_BYTES;
            let message =
                format!("the names of the events have {len} bytes, {most} at most; filter by fewer events");
            return Err(Refused::new(Code::FilterTooLarge, message));
        }
        // Few clients filter, and without a filter there is nothing to add up.
        if len > 0
            && self.subscriptions.filter_bytes_without(channel) + len > limits::MAX_SESSION_FILTER_BYTES
        {
            let message = format!(
                "the filters of a session have at most {} bytes; leave a channel first, or filter by fewer events",
                limits::MAX_SESSION_FILTER_BYTES
            );
            return Err(Refused::new(Code::FilterTooLarge, message));
        }
        Ok(())
    }

    /// The channel that a client names, if it may use it in this way.
    fn resolve(
        &self,
        channel: &Channel,
        permission: Permission,
        terms: &SessionConfig,
        now: Now,
    ) -> Result<(ChannelId, Option<ChannelToken>), Refused> {
        access::check_permission(self.grant.can.allow(permission), permission, "session")?;
        // The values come from the verified session, whatever the client believes its context to be.
        let scope = self.grant.keep(&channel.properties)?;
        let token = match &*channel.token {
            "" => None,
            token => Some(access::verify_channel_token(
                token,
                self.namespace(),
                &channel.name,
                &terms.keys,
                now.wall,
            )?),
        };
        if let Some(Signed { claims, .. }) = &token {
            access::check_permission(claims.can.allow(permission), permission, "channel token")?;
        }
        let id = access::channel_id(
            self.namespace(),
            &scope,
            &channel.name,
            token.as_ref().map(|token| &token.claims),
        )?;
        Ok((id, token.map(Box::new)))
    }

    pub(super) fn handle_joined(
        &mut self,
        result: Result<Joined, Refused>,
        now: Now,
        deadlines: &mut Deadlines,
        actions: &mut Actions,
    ) {
        let Some(Waiting::Join(joining)) = self.waiting.take() else { return };
        let Joining { request, channel, subscription } = *joining;
        let earlier = self.subscriptions.remove(channel);
        deadlines.clear(Timer::ChannelExpiry(channel));
        let result = result.and_then(|joined| {
            let refused = self.place.check_replay(joined.replayed, now.monotonic).err();
            let Some(refused) = refused else { return Ok(joined) };
            actions.push_back(SessionAction::Leave(channel));
            actions.push_back(self.refusal("subscribe", refused.code));
            Err(refused)
        });
        match result {
            Ok(Joined { position, recovered, .. }) => {
                if let Some(Signed { claims, .. }) = subscription.token.as_deref() {
                    deadlines.set(Timer::ChannelExpiry(channel), now.when(claims.exp.millis()));
                }
                self.subscriptions.insert(channel, subscription);
                actions.push_back(SessionAction::Send(ToClient::Subscribed(Subscribed {
                    request,
                    channel_id: channel.into(),
                    position: Some(position),
                    recovered,
                })));
            }
            Err(refused) => {
                self.place.give_back_subscriptions(1);
                // The channel was joined anew, so an earlier subscription to it is lost as well.
                if earlier.is_some() {
                    actions.push_back(ended(channel, refused.code, refused.message.clone()));
                }
                actions.push_back(failed(request, refused));
            }
        }
    }

    pub(super) fn unsubscribe(&mut self, message: &Unsubscribe, actions: &mut Actions) -> Option<ChannelId> {
        let channel = message.channel_id();
        if self.remove(channel).is_none() {
            let refused =
                Refused::new(Code::NotSubscribed, "the connection is not subscribed to this channel");
            actions.push_back(failed(message.request, refused));
            return None;
        }
        actions.push_back(SessionAction::Leave(channel));
        let answer = ToClient::Unsubscribed(Unsubscribed { request: message.request });
        actions.push_back(SessionAction::Send(answer));
        Some(channel)
    }

    pub(super) fn publish(
        &mut self,
        message: Publish,
        terms: &SessionConfig,
        now: Now,
        actions: &mut Actions,
    ) {
        let Publish { request, channel, event, sealed, id, follows } = message;
        if let Some(put_off) = self.put_off.as_mut().filter(|put_off| follows == put_off.request) {
            // Its sender cannot have known. Neither a rate nor the audit log counts it.
            put_off.request = request;
            return actions.push_back(failed(request, put_off.refused.clone()));
        }
        let resolve = |()| self.resolve(&channel.unwrap_or_default(), Permission::Publish, terms, now);
        let allowed = self.place.check_publish(sealed.len(), now.monotonic);
        let draft = allowed.and_then(resolve).and_then(|(channel, _)| {
            let id = id
                .as_ref()
                .try_into()
                .map_err(|_| Refused::new(Code::MalformedFrame, "the id of a message has the wrong size"))?;
            access::draft(channel, self.tenant(), event, sealed, id)
        });
        match draft {
            Ok(draft) => {
                actions.push_back(SessionAction::Publish(Publishing(draft)));
                self.waiting = Some(Waiting::Publish { request });
            }
            Err(refused) => {
                self.put_off(request, &refused);
                self.fail("publish", request, refused, actions);
            }
        }
    }

    /// What follows a publication that was refused for a while must not overtake it.
    fn put_off(&mut self, request: u32, refused: &Refused) {
        let passes = refused.retry_after_ms() > 0;
        self.put_off = passes.then(|| {
            let mut refused = refused.clone();
            refused.message =
                "a publication before this one was refused for a while; publish it again after that one"
                    .into();
            Box::new(PutOff { request, refused })
        });
    }

    pub(super) fn handle_published(&mut self, result: Result<Accepted, Refused>, actions: &mut Actions) {
        let Some(Waiting::Publish { request }) = self.waiting.take() else { return };
        match &result {
            Ok(_) => self.put_off = None,
            Err(refused) => self.put_off(request, refused),
        }
        match result {
            Ok(Accepted { position, time }) => {
                let answer = Published { request, position: Some(position), time_ms: time.0 };
                actions.push_back(SessionAction::Send(ToClient::Published(answer)));
            }
            // Only the client's own acts are audited, and not the broker's trouble.
            Err(refused) if refused.code == Code::IdReused => self.fail("publish", request, refused, actions),
            Err(refused) => actions.push_back(failed(request, refused)),
        }
    }

    /// The timer of a channel token fired. Returns when to look again, if the token is still valid.
    pub(super) fn expire(
        &mut self,
        channel: ChannelId,
        now: Now,
        actions: &mut Actions,
    ) -> Option<UnixMillis> {
        let expiry = self.subscriptions.find(channel)?.token.as_ref()?.claims.exp.millis();
        if now.wall < expiry {
            return Some(expiry);
        }
        let message = "the channel token has expired; subscribe again with a fresh one";
        self.end(channel, Code::TokenExpired, message, actions);
        None
    }

    /// Ends a subscription on the relay's side.
    pub(super) fn end(&mut self, channel: ChannelId, code: Code, message: &str, actions: &mut Actions) {
        if self.remove(channel).is_some() {
            actions.push_back(SessionAction::Leave(channel));
            actions.push_back(ended(channel, code, message.to_owned()));
        }
    }

    fn remove(&mut self, channel: ChannelId) -> Option<Subscription> {
        let removed = self.subscriptions.remove(channel)?;
        // A subscription that is being joined anew keeps its place.
        if !self.is_joining(channel) {
            self.place.give_back_subscriptions(1);
        }
        Some(removed)
    }

    fn is_joining(&self, channel: ChannelId) -> bool {
        matches!(&self.waiting, Some(Waiting::Join(joining)) if joining.channel == channel)
    }

    /// Refuses a request; the session goes on.
    pub(super) fn fail(&self, attempt: &'static str, request: u32, refused: Refused, actions: &mut Actions) {
        actions.push_back(self.refusal(attempt, refused.code));
        actions.push_back(failed(request, refused));
    }

    fn refusal(&self, attempt: &'static str, code: Code) -> SessionAction {
        SessionAction::Audit(Refusal { attempt, code, identity: Some(self.identity()) })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let joining = match &self.waiting {
            Some(Waiting::Join(joining)) => self.subscriptions.find(joining.channel).is_none(),
            _ => false,
        };
        self.place.give_back_subscriptions(self.subscriptions.len() + usize::from(joining));
    }
}

fn ended(channel: ChannelId, code: Code, message: String) -> SessionAction {
    SessionAction::Send(ToClient::Ended(Ended { channel_id: channel.into(), code: code.number(), message }))
}

fn failed(request: u32, refused: Refused) -> SessionAction {
    let retry_after_ms = refused.retry_after_ms();
    let failed = Failed::new(request, refused.code, refused.message);
    SessionAction::Send(ToClient::Failed(Failed { retry_after_ms, ..failed }))
}
