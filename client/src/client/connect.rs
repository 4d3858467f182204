//! The connection's life: session, WebSocket, `Hello` and `Welcome`, heartbeat, loss, and the way back.

use crate::{
    Client, ClientError, ConnectionId, Event, Instant, Now, SessionReason, State, Transmit,
    state::channel::Wire,
    state::recovery::{Remedy, closed_with, is_orderly, remedy},
    state::requests::{AskedBy, Request},
    state::subscription::Progress,
    state::timers::{Timer, Timers},
    time::RelayClock,
};
use sealwire_protocol::{
    CloseCode, Code, limits,
    wire::{Hello, ToRelay, Welcome},
};

/// A connection that lasted this long was a good one.
const STABLE_MS: u64 = 10_000;
/// The same for one that ended in good order.
const ORDERLY_MS: u64 = 1_000;
const CLOSE_NORMAL: u16 = 1000;
const HEARTBEAT_MS: core::ops::RangeInclusive<u32> = 100..=300_000;
const DEFAULT_HEARTBEAT_MS: u32 = 25_000;

/// Named for what it waits for.
pub(crate) enum Phase {
    /// A reason to connect.
    Idle,
    /// A session from the app.
    AwaitingSession,
    /// The WebSocket to open.
    AwaitingOpen(ConnectionId),
    /// The relay's answer to `Hello`.
    AwaitingWelcome(ConnectionId),
    /// Whatever comes.
    Live(Live),
    /// The time for the next attempt.
    AwaitingRetry,
    /// Nothing any more.
    Closed,
}

pub(crate) struct Live {
    connection: ConnectionId,
    opened_at: Instant,
    pub(crate) last_heard: Instant,
    patience_ms: u64,
    pub(crate) max_frame: usize,
    pub(crate) replay_window_ms: u64,
}

impl Phase {
    pub(crate) fn connection(&self) -> Option<ConnectionId> {
        match self {
            Self::AwaitingOpen(connection) | Self::AwaitingWelcome(connection) => Some(*connection),
            Self::Live(live) => Some(live.connection),
            Self::Idle | Self::AwaitingSession | Self::AwaitingRetry | Self::Closed => None,
        }
    }

    pub(crate) fn state(&self, was_connected: bool) -> State {
        match self {
            Self::Idle => State::Idle,
            Self::Live(_) => State::Connected,
            Self::Closed => State::Closed,
            _ if was_connected => State::Reconnecting,
            _ => State::Connecting,
        }
    }
}

/// The scheme and the host of a URL, which hold no secret.
fn address_of(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    [scheme, "://", host].concat()
}

impl Client {
    /// The WebSocket is open.
    pub fn handle_opened(&mut self, now: Now, connection: ConnectionId) {
        if !matches!(self.phase, Phase::AwaitingOpen(awaited) if awaited == connection) {
            return;
        }
        let Some(session) = &self.session else {
            // The session ended while the WebSocket opened.
            return self.lost(now, closed_with(None), Some(CLOSE_NORMAL));
        };
        let hello = ToRelay::Hello(Hello { token: session.token.clone() });
        self.phase = Phase::AwaitingWelcome(connection);
        self.send(&hello);
    }

    /// The WebSocket closed or could not be opened; `code` is the close code where there is one.
    pub fn handle_closed(&mut self, now: Now, connection: ConnectionId, code: Option<u16>) {
        if self.phase.connection() != Some(connection) {
            return;
        }
        // A gateway that ends every connection after a few seconds does so in good order: no reason to wait ever longer.
        let lasted = |live: &Live| now.instant.since(live.opened_at) >= ORDERLY_MS;
        if is_orderly(code) && matches!(&self.phase, Phase::Live(live) if lasted(live)) {
            self.backoff.reset();
        }
        self.lost(now, closed_with(code), None);
    }

    /// The connection failed or could not be made, and the transport knows why.
    pub fn handle_failed(&mut self, now: Now, connection: ConnectionId, error: ClientError) {
        if self.phase.connection() == Some(connection) {
            self.lost(now, error, None);
        }
    }

    pub(crate) fn connect(&mut self, now: Now) {
        self.timers.stop(Timer::Retry);
        match &self.session {
            Some(session) if session.is_fresh(now.instant) => self.open(now),
            _ => {
                self.session = None;
                self.phase = Phase::AwaitingSession;
                self.need_session(now, SessionReason::Connect);
                self.show(None);
            }
        }
    }

    /// Opens a WebSocket with the session at hand.
    pub(crate) fn open(&mut self, now: Now) {
        let Some(session) = &self.session else { return };
        let url = session.url.clone();
        self.address = Some(address_of(&url));
        let connection = ConnectionId(self.next_id());
        self.phase = Phase::AwaitingOpen(connection);
        self.timers.set(Timer::Welcome, now.instant.after(self.config.request_timeout_ms));
        self.transmits.push_back(Transmit::Connect { connection, url });
        self.show(None);
    }

    pub(crate) fn welcomed(&mut self, now: Now, connection: ConnectionId, welcome: &Welcome) {
        self.timers.stop(Timer::Welcome);
        let heartbeat = if HEARTBEAT_MS.contains(&welcome.heartbeat_ms) {
            welcome.heartbeat_ms
        } else {
            DEFAULT_HEARTBEAT_MS
        };
        let max_frame = usize::try_from(welcome.max_frame).unwrap_or(usize::MAX);
        let live = Live {
            connection,
            opened_at: now.instant,
            last_heard: now.instant,
            patience_ms: u64::from(heartbeat) * 2,
            max_frame: if max_frame == 0 { limits::MAX_FRAME } else { max_frame },
            replay_window_ms: u64::from(welcome.replay_window_ms),
        };
        self.timers.set(Timer::Silence, now.instant.after(live.patience_ms));
        self.phase = Phase::Live(live);
        self.relay_clock = Some(RelayClock::new(now.instant, welcome.now_ms));
        self.watch(now);
        self.session_ends(now, welcome.expires_at);
        self.was_connected = true;
        self.trouble = None;
        self.show(None);
    }

    pub(crate) fn heard(&mut self, now: Now) {
        if let Phase::Live(live) = &mut self.phase {
            live.last_heard = now.instant;
        }
    }

    /// The timer is not moved with every frame; it looks at what was heard when it is due. After a sleep, what the relay
    /// sent meanwhile may be waiting to be read: then the answer to a `Ping` decides.
    pub(crate) fn check_silence(&mut self, now: Now, slept: bool) {
        let Phase::Live(live) = &mut self.phase else { return };
        if slept {
            live.last_heard = now.instant;
        }
        let until = live.last_heard.after(live.patience_ms);
        if now.instant < until {
            return self.timers.set(Timer::Silence, until);
        }
        let error = ClientError::new(Code::HeartbeatTimeout, "the relay was silent for two heartbeats");
        self.lost(now, error, Some(CloseCode::Timeout as u16));
    }

    pub(crate) fn welcome_timed_out(&mut self, now: Now) {
        self.lost(now, ClientError::unreachable("the relay did not answer in time"), Some(CLOSE_NORMAL));
    }

    pub(crate) fn unanswered(&mut self, now: Now) {
        let error = ClientError::unreachable("the relay left a request unanswered");
        self.lost(now, error, Some(CloseCode::Timeout as u16));
    }

    /// The relay sent what is no message of this protocol.
    pub(crate) fn violated(&mut self, now: Now) {
        let error =
            ClientError::unreachable("what answers at the session's url does not speak this protocol");
        self.lost(now, error, Some(CloseCode::BadRequest as u16));
    }

    /// The connection is of no more use. `close` is the code to close it with where it is still open.
    pub(crate) fn lost(&mut self, now: Now, error: ClientError, close: Option<u16>) {
        let Some(connection) = self.phase.connection() else { return };
        if let Some(code) = close {
            self.transmits.push_back(Transmit::Disconnect { connection, code });
        }
        if matches!(&self.phase, Phase::Live(live) if now.instant.since(live.opened_at) >= STABLE_MS) {
            self.backoff.reset();
            self.refused_before = false;
        }
        self.detach();
        self.phase = Phase::AwaitingRetry;
        let remedy = remedy(&error, self.refused_before);
        if error.is_about_the_session() {
            self.session = None;
            self.refused_before = true;
        }
        match remedy {
            Remedy::GiveUp => self.give_up(now, error),
            Remedy::FreshSession if self.is_wanted() => {
                self.trouble = Some(error.clone());
                self.phase = Phase::AwaitingSession;
                self.need_session(now, SessionReason::Connect);
                self.show(Some(error));
            }
            Remedy::FreshSession => self.rest(Some(error)),
            Remedy::Retry { after_ms } => self.retry_later(now, error, after_ms),
        }
        self.settle(now);
    }

    pub(crate) fn retry_later(&mut self, now: Now, error: ClientError, after_ms: Option<u32>) {
        let wait = match after_ms {
            Some(after) => self.backoff.asked(after, &mut *self.entropy),
            None => self.backoff.next(&mut *self.entropy),
        };
        self.trouble = Some(error.clone());
        self.phase = Phase::AwaitingRetry;
        self.wait_to_retry(now, now.instant.after(wait), after_ms.is_some());
        self.show(Some(error));
    }

    /// Ends everything that needs the connection, tells it why, and waits for the app's next call.
    pub(crate) fn give_up(&mut self, now: Now, error: ClientError) {
        for id in self.channels.keys() {
            self.end_channel(now, id, &error);
        }
        self.fail_waiting(&error);
        self.session = None;
        self.refused_before = false;
        self.rest(Some(error));
    }

    /// Closes the connection because nothing needs it. The session stays for the next time.
    pub(crate) fn rest(&mut self, error: Option<ClientError>) {
        self.disconnect();
        self.phase = Phase::Idle;
        self.show(error);
    }

    pub(crate) fn disconnect(&mut self) {
        if let Some(connection) = self.phase.connection() {
            self.transmits.push_back(Transmit::Disconnect { connection, code: CLOSE_NORMAL });
        }
        self.detach();
        self.sessions.forget();
        self.timers = Timers::default();
        self.was_connected = false;
        self.trouble = None;
    }

    /// Nothing is on the wire any more.
    fn detach(&mut self) {
        for timer in [Timer::Welcome, Timer::Silence, Timer::Refresh, Timer::Probe, Timer::Watch] {
            self.timers.stop(timer);
        }
        for request in self.requests.take() {
            match request {
                Request::Unsubscribe(Some(subscription)) => {
                    self.events.push_back(Event::UnsubscribeDone { subscription });
                }
                // Shown to the relay with the next subscribe.
                Request::RefreshToken { claims, asked_by: AskedBy::Refresh(refresh, id), .. } => {
                    self.take_token(id, claims);
                    self.events.push_back(Event::RefreshDone { refresh, result: Ok(()) });
                }
                Request::RefreshToken { claims, asked_by: AskedBy::Renewal(id), .. } => {
                    self.take_token(id, claims);
                }
                Request::RefreshToken { channel, asked_by: AskedBy::Subscription(id), .. } => {
                    if let Some(subscription) = self.subscriptions.get_mut(&id) {
                        subscription.progress = Progress::AwaitingSubscribed(channel);
                    }
                }
                _ => {}
            }
        }
        for channel in self.channels.values_mut() {
            if channel.wire != Wire::AwaitingToken {
                channel.wire = Wire::Unsent;
            }
        }
        self.publishes.detach();
    }
}
