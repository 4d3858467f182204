//! The state machine of one client's session, without I/O: frames and time go in, actions come out. The connection
//! drives it with a socket and real time; tests drive it with a simulated client and virtual time.

mod action;
mod broker_reset;
mod config;
mod deadlines;
mod established;
mod event_filter;
mod goodbye;
mod grant;
mod key_removal;
mod marks;
mod pending;
mod presence;
mod presence_end;
mod presences;
mod publish;
mod refresh;
mod revocation;
mod subscribe;
mod subscriptions;
mod timeouts;

pub use crate::identity::Identity;
pub use action::{PresenceAction, Publishing, Refusal, SessionAction};
pub use config::{SessionConfig, SubscriptionStart};
pub use event_filter::EventFilter;
pub use goodbye::EndReason;
pub(crate) use goodbye::too_many_sessions;
pub use marks::Marks;

use crate::{
    auth::signing_keys::Signed,
    clock::{Elapsed, Now},
    hub::PublishReceipt,
    limits::SessionPermit,
    presence::{MemberId, SessionNames},
    refused::Refused,
};
use action::Actions;
use bytes::Bytes;
use deadlines::{Deadlines, Timer};
use established::Established;
use sealwire_protocol::{
    ChannelId, Code,
    limits::MAX_FRAME,
    tokens::SessionClaims,
    wire::{Hello, Pong, ToClient, ToRelay, Welcome},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// The state machine of one session. The driver passes input to `handle_*`, drains [`Self::poll_action`], and waits
/// until [`Self::poll_timeout`]. While [`Self::is_waiting`] returns true, it passes no further frame.
pub struct SessionRules {
    config: Arc<SessionConfig>,
    state: SessionState,
    deadlines: Deadlines,
    actions: Actions,
    /// The time of the last frame.
    last_seen_at: Elapsed,
    /// The time of the last request; pings and pongs are not requests.
    last_request_at: Elapsed,
    jitter: u32,
}

enum SessionState {
    AwaitingHello,
    Established(Box<Established>),
    Closed,
}

impl SessionRules {
    /// Creates the session of a new connection. `jitter` is any number that differs between connections; it spreads
    /// their reconnects after a shutdown.
    #[must_use]
    pub fn new(config: Arc<SessionConfig>, jitter: u32, now: Now) -> Self {
        let mut deadlines = Deadlines::new(now.monotonic);
        let start = deadlines.elapsed(now.monotonic);
        deadlines.set(Timer::Hello, now.monotonic + config.hello_timeout);
        Self {
            config,
            state: SessionState::AwaitingHello,
            deadlines,
            actions: Actions::default(),
            last_seen_at: start,
            last_request_at: start,
            jitter,
        }
    }

    /// Handles a complete binary WebSocket message.
    pub fn handle_frame(&mut self, frame: Bytes, now: Now) {
        self.last_seen_at = self.deadlines.elapsed(now.monotonic);
        // A token that has expired is not accepted, even if its timer has not fired yet.
        self.handle_timeout(now);
        if matches!(self.state, SessionState::Closed) {
            return;
        }
        let message = match ToRelay::from_bytes(frame) {
            Ok(message) => message,
            Err(error) => return self.refuse_frame(Refused::new(Code::MalformedFrame, error.to_string())),
        };
        if !matches!(message, ToRelay::Ping(_) | ToRelay::Pong(_)) {
            self.last_request_at = self.deadlines.elapsed(now.monotonic);
        }
        match (&mut self.state, message) {
            (SessionState::Closed, _) => {}
            (SessionState::AwaitingHello, ToRelay::Hello(hello)) => self.establish(&hello, now),
            (SessionState::AwaitingHello, _) => {
                self.refuse_frame(Refused::new(Code::HelloExpected, "the first message must be Hello"));
            }
            (SessionState::Established(_), ToRelay::Hello(_)) => {
                let message = "the session is already established; send Refresh to replace its token";
                self.refuse_frame(Refused::new(Code::HelloExpected, message));
            }
            (SessionState::Established(_), ToRelay::Pong(_)) => {}
            (SessionState::Established(_), ToRelay::Ping(_)) => {
                self.actions.push_back(SessionAction::Send(ToClient::Pong(Pong {})));
            }
            (SessionState::Established(_), ToRelay::Session(_) | ToRelay::End(_)) => {
                // The connection handles these messages itself.
                self.refuse_frame(Refused::new(
                    Code::MalformedFrame,
                    "Session and End must not be nested in a session",
                ));
            }
            (SessionState::Established(open), ToRelay::Subscribe(subscribe)) => {
                open.subscribe(subscribe, &self.config, now, &mut self.actions);
            }
            (SessionState::Established(open), ToRelay::Unsubscribe(unsubscribe)) => {
                if let Some(channel) = open.unsubscribe(&unsubscribe, &mut self.actions) {
                    self.deadlines.clear(Timer::ChannelExpiry(channel));
                }
            }
            (SessionState::Established(open), ToRelay::Publish(publish)) => {
                open.publish(publish, &self.config, now, &mut self.actions);
            }
            (SessionState::Established(open), ToRelay::Refresh(refresh)) => {
                open.refresh(&refresh, &self.config, now, &mut self.deadlines, &mut self.actions);
            }
            (SessionState::Established(open), message) => {
                open.presence(message, &self.config, now, &mut self.deadlines, &mut self.actions);
            }
        }
    }

    /// Records that the client is alive without a message, for example by a ping or pong of RFC 6455.
    pub fn handle_activity(&mut self, now: Now) {
        self.last_seen_at = self.deadlines.elapsed(now.monotonic);
    }

    /// Completes the last [`SessionAction::Subscribe`].
    pub fn handle_subscribed(&mut self, result: Result<SubscriptionStart, Refused>, now: Now) {
        if let SessionState::Established(open) = &mut self.state {
            open.handle_subscribed(result, now, &mut self.deadlines, &mut self.actions);
        }
        // The signing key of the channel token may have been removed meanwhile.
        if self.has_orphaned_tokens() {
            self.handle_keys_removed();
        }
    }

    /// Returns whether the session has a part in the presence of a channel.
    pub(crate) fn has_presence(&self, channel: ChannelId) -> bool {
        matches!(&self.state, SessionState::Established(open) if open.presences.find(channel).is_some())
    }

    /// Returns the names of the session for other relays; `None` if there are none.
    pub(crate) fn names(&self) -> Option<SessionNames> {
        let SessionState::Established(open) = &self.state else { return None };
        let (installation, account) = open.permit().digests()?;
        Some(SessionNames::new(open.namespace().app.to_owned(), installation, account))
    }

    /// Completes a [`PresenceAction::Enter`].
    pub fn handle_entered(
        &mut self,
        request: u32,
        channel: ChannelId,
        member: MemberId,
        result: Result<(), Refused>,
    ) {
        if let SessionState::Established(open) = &mut self.state {
            open.handle_entered(request, (channel, member), result, &mut self.deadlines, &mut self.actions);
        }
        self.hasten_pings();
    }

    /// Completes a [`PresenceAction::Leave`] that has a request number.
    pub fn handle_left(&mut self, request: u32, channel: ChannelId, result: Result<(), Refused>) {
        if let SessionState::Established(open) = &mut self.state {
            open.handle_left(request, channel, result, &mut self.actions);
        }
    }

    /// Completes the last [`SessionAction::Publish`].
    pub fn handle_published(&mut self, result: Result<PublishReceipt, Refused>) {
        if let SessionState::Established(open) = &mut self.state {
            open.handle_published(result, &mut self.actions);
        }
    }

    /// Returns the next action for the driver.
    pub fn poll_action(&mut self) -> Option<SessionAction> {
        self.actions.pop_front()
    }

    /// Returns the time at which [`Self::handle_timeout`] must be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Returns whether a subscribe or publish request waits for the broker.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        matches!(&self.state, SessionState::Established(open) if open.is_waiting())
    }

    /// Returns whether the session has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.state, SessionState::Closed)
    }

    /// Returns whether the client is subscribed to this channel with a filter that accepts this event.
    #[must_use]
    pub fn accepts(&self, channel: ChannelId, event: &str) -> bool {
        matches!(&self.state, SessionState::Established(open) if open.accepts(channel, event))
    }

    /// Returns the session's permit, once its token was accepted.
    pub(crate) fn permit(&self) -> Option<&SessionPermit> {
        match &self.state {
            SessionState::Established(open) => Some(open.permit()),
            _ => None,
        }
    }

    /// Returns the bytes of the session besides its slot on the connection; 0 before its token was accepted and after
    /// its end.
    pub(crate) fn footprint(&self) -> usize {
        match &self.state {
            SessionState::Established(open) => open.footprint(),
            _ => 0,
        }
    }

    /// Returns the client's identity, once its session token was verified.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        match &self.state {
            SessionState::Established(open) => Some(open.identity()),
            _ => None,
        }
    }

    /// Verifies the session token of `Hello`, and opens the session.
    fn establish(&mut self, hello: &Hello, now: Now) {
        let signed: Signed<SessionClaims> = match self.config.keys.verify(&hello.token, now.wall.seconds()) {
            Ok(signed) => signed,
            Err(error) => return self.refuse("hello", error.into()),
        };
        let claims = &signed.claims;
        if let Err(refused) = self.config.revocations.check_read() {
            return self.refuse_to("hello", refused, Some(identity(claims)));
        }
        let seen = match revocation::check(claims, &self.config.revocations) {
            Ok(seen) => seen,
            Err(revoked) => {
                let refused = revoked.ended(now.wall.seconds());
                return self.refuse_to("hello", refused, Some(identity(claims)));
            }
        };
        if let Err(refused) = self.config.limits.check_memory(0) {
            return self.refuse_to("hello", refused, Some(identity(claims)));
        }
        let permit = match self.config.limits.admit_session(&claims.iss, &claims.ins, &claims.sub) {
            Ok(permit) => permit,
            Err(refused) => return self.refuse_to("hello", refused, Some(identity(claims))),
        };
        let millis = |duration: Duration| u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
        let sized = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
        self.actions.push_back(SessionAction::Send(ToClient::Welcome(Welcome {
            max_frame: sized(MAX_FRAME),
            max_subscriptions: sized(self.config.limits.settings().max_subscriptions),
            heartbeat_ms: millis(self.config.heartbeat),
            replay_window_ms: millis(self.config.replay_window),
            expires_at: claims.exp.0,
            now_ms: now.wall.0,
        })));
        self.deadlines.clear(Timer::Hello);
        self.deadlines.set(Timer::SessionExpiry, now.instant_of(claims.exp.millis()));
        self.deadlines.set(Timer::Heartbeat, now.monotonic + self.config.heartbeat);
        self.deadlines.set(Timer::Silence, now.monotonic + 2 * self.config.heartbeat);
        self.state = SessionState::Established(Box::new(Established::new(&signed, permit, seen)));
    }
}

fn identity(claims: &SessionClaims) -> Identity {
    let SessionClaims { iss, ins, sub, .. } = claims;
    Identity { app: iss.clone(), installation: ins.clone(), account: Some(sub.clone()) }
}
