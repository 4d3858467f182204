//! The rules of one client's session, without I/O: a frame or a moment goes in, actions come out. The connection
//! drives it with a socket and real time, tests drive it with a simulated client and virtual time.

mod action;
mod deadlines;
mod established;
mod event_filter;
mod goodbye;
mod grant;
mod key_removal;
mod refresh;
mod revocation;
mod subscriptions;
#[cfg(test)]
mod tests;

pub use action::{Identity, Publishing, Refusal, SessionAction};
pub use event_filter::EventFilter;
pub use goodbye::EndReason;
pub(crate) use goodbye::too_many_sessions;

use crate::{
    auth::{
        revocations::Revocations,
        signing_keys::{Signed, SigningKeys},
    },
    clock::Now,
    hub::Accepted,
    limits::{Limits, SessionPermit},
    pulse::Pulse,
    refused::Refused,
};
use bytes::Bytes;
use deadlines::{Deadlines, Timer};
use established::Open;
use sealwire_protocol::{
    ChannelId, Code,
    limits::MAX_FRAME,
    tokens::SessionClaims,
    wire::{Hello, Ping, Pong, Position, ToClient, ToRelay, Welcome},
};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

/// What a relay holds all its sessions to.
#[derive(Clone)]
pub struct SessionConfig {
    /// The signing keys of all apps.
    pub keys: Arc<SigningKeys>,
    /// Which sessions were ended by their apps.
    pub revocations: Arc<Revocations>,
    /// How long a client may take for `Hello`.
    pub hello_timeout: Duration,
    /// How often the relay sends `Ping`; a client that is silent for twice as long is gone.
    pub heartbeat: Duration,
    /// How far back a subscription can resume.
    pub replay_window: Duration,
    /// What the relay allows, and what is taken of it.
    pub limits: Arc<Limits>,
    /// The relay's pulse, which tells whether it runs.
    pub pulse: Arc<Pulse>,
}

/// Where a subscription stands once it was joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Before the first publication that follows.
    pub position: Position,
    /// Everything asked for provably follows.
    pub recovered: bool,
    /// Bytes of the replay that follows.
    pub replayed: u64,
}

/// The rules of one session. Feed it with `handle_*`, then drain [`Self::poll_action`], then wait until
/// [`Self::poll_timeout`]. While [`Self::is_waiting`] no further frame may be handed in.
pub struct SessionRules {
    terms: Arc<SessionConfig>,
    state: State,
    deadlines: Deadlines,
    actions: VecDeque<SessionAction>,
    heard: Instant,
    /// When the last request came.
    asked: Instant,
    jitter: u32,
}

enum State {
    AwaitingHello,
    Open(Box<Open>),
    Closed,
}

impl SessionRules {
    /// A connection that was just opened. `jitter` is any number that differs between connections: it spreads their
    /// return after a shutdown.
    #[must_use]
    pub fn new(terms: Arc<SessionConfig>, jitter: u32, now: Now) -> Self {
        let mut deadlines = Deadlines::default();
        deadlines.set(Timer::Hello, now.monotonic + terms.hello_timeout);
        Self {
            terms,
            state: State::AwaitingHello,
            deadlines,
            actions: VecDeque::new(),
            heard: now.monotonic,
            asked: now.monotonic,
            jitter,
        }
    }

    /// A whole binary WebSocket message came.
    pub fn handle_frame(&mut self, frame: Bytes, now: Now) {
        self.heard = now.monotonic;
        // A token that expired before the timer fired counts as expired.
        self.handle_timeout(now);
        if matches!(self.state, State::Closed) {
            return;
        }
        let message = match ToRelay::from_bytes(frame) {
            Ok(message) => message,
            Err(error) => return self.refuse_frame(Refused::new(Code::MalformedFrame, error.to_string())),
        };
        if !matches!(message, ToRelay::Ping(_) | ToRelay::Pong(_)) {
            self.asked = now.monotonic;
        }
        match (&mut self.state, message) {
            (State::Closed, _) => {}
            (State::AwaitingHello, ToRelay::Hello(hello)) => self.open(&hello, now),
            (State::AwaitingHello, _) => {
                self.refuse_frame(Refused::new(Code::HelloExpected, "the first message must be Hello"));
            }
            (State::Open(_), ToRelay::Hello(_)) => {
                let message = "the session is open already; use Refresh to replace its token";
                self.refuse_frame(Refused::new(Code::HelloExpected, message));
            }
            (State::Open(_), ToRelay::Pong(_)) => {}
            (State::Open(_), ToRelay::Ping(_)) => {
                self.actions.push_back(SessionAction::Send(ToClient::Pong(Pong {})));
            }
            (State::Open(_), ToRelay::Session(_) | ToRelay::End(_)) => {
                // The connection keeps these to itself.
                self.refuse_frame(Refused::new(Code::MalformedFrame, "a session has no sessions of its own"));
            }
            (State::Open(open), ToRelay::Subscribe(subscribe)) => {
                open.subscribe(subscribe, &self.terms, now, &mut self.actions);
            }
            (State::Open(open), ToRelay::Unsubscribe(unsubscribe)) => {
                if let Some(channel) = open.unsubscribe(&unsubscribe, &mut self.actions) {
                    self.deadlines.clear(Timer::ChannelExpiry(channel));
                }
            }
            (State::Open(open), ToRelay::Publish(publish)) => {
                open.publish(publish, &self.terms, now, &mut self.actions);
            }
            (State::Open(open), ToRelay::Refresh(refresh)) => {
                open.refresh(&refresh, &self.terms, now, &mut self.deadlines, &mut self.actions);
            }
        }
    }

    /// The client showed that it is there without a message, by a ping or pong of RFC 6455.
    pub fn handle_heard(&mut self, now: Now) {
        self.heard = now.monotonic;
    }

    /// The channel of the last [`SessionAction::Join`] was joined, or could not be.
    pub fn handle_joined(&mut self, result: Result<Joined, Refused>, now: Now) {
        if let State::Open(open) = &mut self.state {
            open.handle_joined(result, now, &mut self.deadlines, &mut self.actions);
        }
        // The channel token may have been checked before its key went.
        if self.outlives_its_key() {
            self.handle_keys_removed();
        }
    }

    /// The draft of the last [`SessionAction::Publish`] was taken, or could not be.
    pub fn handle_published(&mut self, result: Result<Accepted, Refused>) {
        if let State::Open(open) = &mut self.state {
            open.handle_published(result, &mut self.actions);
        }
    }

    /// Time passed; does nothing before [`Self::poll_timeout`].
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(timer) = self.deadlines.take_due(now.monotonic) {
            match timer {
                Timer::Hello if let Some(later) = self.not_before(now, self.terms.hello_timeout) => {
                    self.deadlines.set(timer, later);
                }
                Timer::Hello => {
                    let message = "no Hello came in time; send it right after connecting";
                    self.goodbye(Refused::new(Code::HelloTimeout, message));
                }
                Timer::Silence => self.check_silence(now),
                Timer::Heartbeat if self.is_idle(now) => {
                    let message =
                        "nothing was subscribed to or asked for in a long time; connect when there is";
                    self.goodbye(Refused::new(Code::IdleTimeout, message));
                }
                Timer::Heartbeat => {
                    self.actions.push_back(SessionAction::Send(ToClient::Ping(Ping {})));
                    self.deadlines.set(Timer::Heartbeat, now.monotonic + self.terms.heartbeat);
                    self.follow_wall_clock(now);
                }
                Timer::SessionExpiry => {
                    let State::Open(open) = &self.state else { continue };
                    let expiry = open.grant.exp.millis();
                    if now.wall < expiry {
                        self.deadlines.set(Timer::SessionExpiry, now.when(expiry));
                        continue;
                    }
                    let message = "the session token has expired; fetch a fresh one and reconnect";
                    self.goodbye(Refused::new(Code::TokenExpired, message));
                }
                Timer::ChannelExpiry(channel) => {
                    let State::Open(open) = &mut self.state else { continue };
                    if let Some(later) = open.expire(channel, now, &mut self.actions) {
                        self.deadlines.set(timer, now.when(later));
                    }
                }
            }
        }
    }

    /// What to do next.
    pub fn poll_action(&mut self) -> Option<SessionAction> {
        let action = self.actions.pop_front();
        // An idle session keeps no room for actions.
        if self.actions.is_empty() && self.actions.capacity() > 0 {
            self.actions = VecDeque::new();
        }
        action
    }

    /// When [`Self::handle_timeout`] must be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Whether a channel is being joined or a message being published.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        matches!(&self.state, State::Open(open) if open.is_waiting())
    }

    /// Whether the session has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Whether a publication on this channel with this event goes to this client.
    #[must_use]
    pub fn accepts(&self, channel: ChannelId, event: &str) -> bool {
        matches!(&self.state, State::Open(open) if open.accepts(channel, event))
    }

    /// The session's place among the limits, once its token was verified.
    pub(crate) fn place(&self) -> Option<&SessionPermit> {
        match &self.state {
            State::Open(open) => Some(open.place()),
            _ => None,
        }
    }

    /// Bytes of the session besides its place on the connection; none before its token was accepted and after its end.
    pub(crate) fn footprint(&self) -> usize {
        match &self.state {
            State::Open(open) => open.footprint(),
            _ => 0,
        }
    }

    /// Who the client is, once its session token was verified.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        match &self.state {
            State::Open(open) => Some(open.identity()),
            _ => None,
        }
    }

    fn open(&mut self, hello: &Hello, now: Now) {
        let signed: Signed<SessionClaims> = match self.terms.keys.verify(&hello.token, now.wall.seconds()) {
            Ok(signed) => signed,
            Err(error) => return self.refuse("hello", error.into()),
        };
        let claims = &signed.claims;
        let seen = match revocation::check(claims, &self.terms.revocations) {
            Ok(seen) => seen,
            Err(revoked) => {
                let refused = revoked.ended(now.wall.seconds());
                return self.refuse_to("hello", refused, Some(identity(claims)));
            }
        };
        if let Err(refused) = self.terms.limits.check_memory(0) {
            return self.refuse_to("hello", refused, Some(identity(claims)));
        }
        let place = match self.terms.limits.admit_session(&claims.iss, &claims.ins, &claims.sub) {
            Ok(place) => place,
            Err(refused) => return self.refuse_to("hello", refused, Some(identity(claims))),
        };
        let millis = |duration: Duration| u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
        let sized = |size: usize| u32::try_from(size).unwrap_or(u32::MAX);
        self.actions.push_back(SessionAction::Send(ToClient::Welcome(Welcome {
            max_frame: sized(MAX_FRAME),
            max_subscriptions: sized(self.terms.limits.settings().max_subscriptions),
            heartbeat_ms: millis(self.terms.heartbeat),
            replay_window_ms: millis(self.terms.replay_window),
            expires_at: claims.exp.0,
            now_ms: now.wall.0,
        })));
        self.deadlines.clear(Timer::Hello);
        self.deadlines.set(Timer::SessionExpiry, now.when(claims.exp.millis()));
        self.deadlines.set(Timer::Heartbeat, now.monotonic + self.terms.heartbeat);
        self.deadlines.set(Timer::Silence, now.monotonic + 2 * self.terms.heartbeat);
        self.state = State::Open(Box::new(Open::new(&signed, place, seen)));
    }

    /// Whether the client has had no use for its session for long.
    fn is_idle(&self, now: Now) -> bool {
        let patience = self.terms.limits.settings().idle_timeout;
        if self.not_before(now, self.terms.heartbeat).is_some() {
            return false;
        }
        matches!(&self.state, State::Open(open) if open.subscriptions.len() == 0 && !open.is_waiting())
            && now.monotonic.saturating_duration_since(self.asked) >= patience
    }

    fn check_silence(&mut self, now: Now) {
        let deadline = self.heard + 2 * self.terms.heartbeat;
        let later = if now.monotonic < deadline {
            Some(deadline)
        } else {
            self.not_before(now, self.terms.heartbeat)
        };
        if let Some(later) = later {
            self.deadlines.set(Timer::Silence, later);
            return;
        }
        let message = "nothing was heard from the client for two heartbeats; reconnect";
        self.goodbye(Refused::new(Code::HeartbeatTimeout, message));
    }

    /// When a client may be ended for what has not come from it, where that is not now: what it sent while the relay stood
    /// still is read first, for a fair while.
    fn not_before(&self, now: Now, fair_while: Duration) -> Option<Instant> {
        let fair = self.terms.pulse.resumed(now.monotonic)? + fair_while;
        (now.monotonic < fair).then_some(fair)
    }

    /// The wall clock may have been set since the timers of the tokens were: sets them anew.
    fn follow_wall_clock(&mut self, now: Now) {
        let State::Open(open) = &self.state else { return };
        self.deadlines.set(Timer::SessionExpiry, now.when(open.grant.exp.millis()));
        for (channel, expiry) in open.channel_expiries() {
            self.deadlines.set(Timer::ChannelExpiry(channel), now.when(expiry));
        }
    }
}

fn identity(claims: &SessionClaims) -> Identity {
    let SessionClaims { iss, ins, sub, .. } = claims;
    Identity { app: iss.clone(), installation: ins.clone(), account: Some(sub.clone()) }
}
