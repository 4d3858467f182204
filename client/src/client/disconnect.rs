//! The end of a connection, and the way to the next one.

use crate::{
    Client, ClientError, ConnectionId, Event, Now, SessionReason, Transmit,
    state::{
        phase::Phase,
        recovery::{CLOSE_NORMAL, ReconnectPolicy, close_error, is_orderly_close, reconnect_policy},
        requests::{Request, TokenSource},
        subscription::Progress,
        timers::{Timer, Timers},
    },
};
use sealwire_protocol::{CloseCode, Code};

/// A connection that lasted this long resets the backoff.
const MIN_STABLE_MS: u64 = 10_000;
/// A connection that ended in an orderly way resets the backoff if it lasted this long.
const MIN_ORDERLY_MS: u64 = 1_000;

impl Client {
    /// Handles that the WebSocket closed or could not be opened. `code` is the close code, if there is one.
    pub fn handle_closed(&mut self, now: Now, connection: ConnectionId, code: Option<u16>) {
        if self.phase.connection_id() != Some(connection) {
            return;
        }
        // Some gateways end every connection after a few seconds. That is no reason to wait longer each time.
        if is_orderly_close(code) {
            self.reset_backoff_after(now, MIN_ORDERLY_MS);
        }
        self.connection_lost(now, close_error(code), None);
    }

    /// Handles that the WebSocket failed or could not be opened, for a reason that the transport knows.
    pub fn handle_failed(&mut self, now: Now, connection: ConnectionId, error: ClientError) {
        if self.phase.connection_id() == Some(connection) {
            self.connection_lost(now, error, None);
        }
    }

    /// Closes a connection whose relay is silent for too long. Frames do not move the timer, so it may be set again here.
    /// After a sleep, the relay's frames may not have been read yet: the answer to a `Ping` decides then.
    pub(super) fn check_silence(&mut self, now: Now, has_slept: bool) {
        let Phase::Connected(connection) = &mut self.phase else { return };
        if has_slept {
            connection.see(now.instant);
        }
        let deadline = connection.silence_deadline();
        if now.instant < deadline {
            return self.timers.set(Timer::Silence, deadline);
        }
        let error = ClientError::new(Code::HeartbeatTimeout, "the relay was silent for two heartbeats");
        self.connection_lost(now, error, Some(CloseCode::Timeout as u16));
    }

    pub(super) fn request_timed_out(&mut self, now: Now) {
        let error = ClientError::unreachable("the relay did not answer a request in time");
        self.connection_lost(now, error, Some(CloseCode::Timeout as u16));
    }

    /// Closes a connection whose other end sent something that is not a message of this protocol.
    pub(super) fn protocol_violated(&mut self, now: Now) {
        let error = ClientError::unreachable(
            "the server at the session's url does not speak this protocol; check SEALWIRE_URL",
        );
        self.connection_lost(now, error, Some(CloseCode::BadRequest as u16));
    }

    /// Handles the loss of the connection. `close` is the code to close it with, if it is still open.
    pub(super) fn connection_lost(&mut self, now: Now, error: ClientError, close: Option<u16>) {
        let Some(connection) = self.phase.connection_id() else { return };
        if let Some(code) = close {
            self.transmits.push_back(Transmit::Disconnect { connection, code });
        }
        if self.reset_backoff_after(now, MIN_STABLE_MS) {
            self.session_was_refused = false;
        }
        let lacks_presence = error.is(Code::MalformedFrame) && self.end_unanswered_presences(now);
        self.detach();
        self.phase = Phase::AwaitingRetry;
        let policy = match reconnect_policy(&error, self.session_was_refused) {
            ReconnectPolicy::GiveUp if lacks_presence => ReconnectPolicy::Retry { after_ms: None },
            policy => policy,
        };
        if error.invalidates_session() {
            self.session = None;
            self.session_was_refused = true;
        }
        match policy {
            ReconnectPolicy::GiveUp => self.give_up(now, error),
            ReconnectPolicy::FreshSession if self.needs_connection() => {
                self.last_error = Some(error.clone());
                self.phase = Phase::AwaitingSession;
                self.request_session(now, SessionReason::Connect);
                self.report_state(Some(error));
            }
            ReconnectPolicy::FreshSession => self.go_idle(Some(error)),
            ReconnectPolicy::Retry { after_ms } => self.retry_later(now, error, after_ms),
        }
        self.advance(now);
    }

    /// Resets the backoff if the connection lasted for `min_ms`. Returns true if it did.
    fn reset_backoff_after(&mut self, now: Now, min_ms: u64) -> bool {
        let Phase::Connected(connection) = &self.phase else { return false };
        let is_stable = connection.age_ms(now.instant) >= min_ms;
        if is_stable {
            self.backoff.reset();
        }
        is_stable
    }

    /// Plans the next attempt to connect.
    pub(super) fn retry_later(&mut self, now: Now, error: ClientError, after_ms: Option<u32>) {
        let wait = match after_ms {
            Some(after) => self.backoff.requested(after, &mut *self.entropy),
            None => self.backoff.next(&mut *self.entropy),
        };
        self.last_error = Some(error.clone());
        self.phase = Phase::AwaitingRetry;
        self.schedule_retry(now, now.instant.after(wait), after_ms.is_some());
        self.report_state(Some(error));
    }

    /// Ends everything that needs the connection with `error`, and waits for the app's next call.
    pub(super) fn give_up(&mut self, now: Now, error: ClientError) {
        for id in self.channels.keys() {
            self.end_channel(now, id, &error);
        }
        self.fail_calls(&error);
        self.session = None;
        self.session_was_refused = false;
        self.go_idle(Some(error));
    }

    /// Closes a connection that nothing needs. The session stays for the next connection.
    pub(super) fn go_idle(&mut self, error: Option<ClientError>) {
        self.disconnect();
        self.phase = Phase::Idle;
        self.report_state(error);
    }

    /// Closes the connection, if there is one, and forgets everything about it.
    pub(super) fn disconnect(&mut self) {
        if let Some(connection) = self.phase.connection_id() {
            self.transmits.push_back(Transmit::Disconnect { connection, code: CLOSE_NORMAL });
        }
        self.detach();
        self.session_requests.reset();
        self.timers = Timers::default();
        self.was_connected = false;
        self.last_error = None;
    }

    /// Detaches requests, channels and publications from the connection, which is gone.
    fn detach(&mut self) {
        let of_connection =
            [Timer::Welcome, Timer::Silence, Timer::SessionRefresh, Timer::Probe, Timer::SleepCheck];
        for timer in of_connection {
            self.timers.stop(timer);
        }
        for request in self.requests.take_all() {
            self.request_lost(request);
        }
        self.channels.values_mut().for_each(|channel| channel.detach());
        self.publishes.detach();
    }

    /// Completes or postpones a request whose connection is gone.
    fn request_lost(&mut self, request: Request) {
        match request {
            Request::Leave(enter) => self.events.push_back(Event::EnterDone { enter, result: Ok(()) }),
            Request::Unsubscribe(Some(subscription)) => {
                self.events.push_back(Event::UnsubscribeDone { subscription });
            }
            // The next subscribe sends the token to the relay.
            Request::RefreshToken { claims, source: TokenSource::Refresh(refresh, id), .. } => {
                self.set_token(id, claims);
                self.events.push_back(Event::RefreshDone { refresh, result: Ok(()) });
            }
            Request::RefreshToken { claims, source: TokenSource::Renewal(id), .. } => {
                self.set_token(id, claims);
            }
            Request::RefreshToken { channel, source: TokenSource::Subscription(id), .. } => {
                if let Some(subscription) = self.subscriptions.get_mut(&id) {
                    subscription.set_progress(Progress::AwaitingSubscribed(channel));
                }
            }
            _ => {}
        }
    }
}
