//! Connecting: a session, a WebSocket, `Hello` and `Welcome`.

use crate::{
    Client, ClientError, ConnectionId, Now, SessionReason, Transmit,
    state::{
        phase::{Connection, Phase},
        recovery::{CLOSE_NORMAL, close_error},
        session::authority,
        timers::Timer,
    },
    time::RelayClock,
};
use sealwire_protocol::{
    split_at_ascii,
    wire::{Hello, ToRelay, Welcome},
};

impl Client {
    /// Handles that the WebSocket opened.
    pub fn handle_opened(&mut self, now: Now, connection: ConnectionId) {
        if !matches!(self.phase, Phase::AwaitingOpen(awaited) if awaited == connection) {
            return;
        }
        let Some(session) = &self.session else {
            // The session ended while the WebSocket opened.
            return self.connection_lost(now, close_error(None), Some(CLOSE_NORMAL));
        };
        let hello = ToRelay::Hello(Hello { token: session.token.clone() });
        self.phase = Phase::AwaitingWelcome(connection);
        self.send(&hello);
    }

    /// Starts an attempt to connect: with the current session if it is fresh, otherwise with a new one.
    pub(super) fn connect(&mut self, now: Now) {
        self.timers.stop(Timer::Retry);
        match &self.session {
            Some(session) if session.is_fresh(now.instant) => self.open_socket(now),
            _ => {
                self.session = None;
                self.phase = Phase::AwaitingSession;
                self.request_session(now, SessionReason::Connect);
                self.report_state(None);
            }
        }
    }

    /// Opens a WebSocket for the current session.
    pub(super) fn open_socket(&mut self, now: Now) {
        let Some(session) = &self.session else { return };
        let url = session.url.clone();
        self.relay_address = Some(address_of(&url));
        let connection = ConnectionId(self.next_id());
        self.phase = Phase::AwaitingOpen(connection);
        self.timers.set(Timer::Welcome, self.request_deadline(now));
        self.transmits.push_back(Transmit::Connect { connection, url });
        self.report_state(None);
    }

    /// Handles the relay's `Welcome`.
    pub(super) fn welcomed(&mut self, now: Now, id: ConnectionId, welcome: &Welcome) {
        self.timers.stop(Timer::Welcome);
        let connection = Connection::new(id, now.instant, welcome);
        self.timers.set(Timer::Silence, connection.silence_deadline());
        self.phase = Phase::Connected(connection);
        self.relay_clock = Some(RelayClock::new(now.instant, welcome.now_ms));
        self.record_clocks(now);
        self.session_ends(now, welcome.expires_at);
        self.was_connected = true;
        self.last_error = None;
        self.report_state(None);
    }

    pub(super) fn welcome_timed_out(&mut self, now: Now) {
        let error = ClientError::unreachable("the relay did not answer in time");
        self.connection_lost(now, error, Some(CLOSE_NORMAL));
    }
}

/// Returns the scheme and the host of a URL, which contain no secret.
fn address_of(url: &str) -> String {
    let (scheme, rest) = split_at_ascii(url, b':').unwrap_or(("", url));
    let authority = authority(rest.strip_prefix("//").unwrap_or(rest));
    let host = authority.bytes().rposition(|byte| byte == b'@').map_or(authority, |at| &authority[at + 1..]);
    [scheme, "://", host].concat()
}
