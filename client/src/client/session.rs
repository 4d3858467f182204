//! Sessions: requests to the app, their answers, and the refresh before a session ends.

use crate::{
    Client, ClientError, Event, FetchId, Now, SessionGrant, SessionReason,
    grant::InvalidGrant,
    state::{
        phase::Phase,
        requests::Request,
        session::{Identity, Session},
        session_requests::SessionRequest,
        timers::Timer,
        token_lifetime::{renewal_wait, retry_wait},
    },
};
use sealwire_protocol::{
    Code, UnixSeconds,
    wire::{Refresh, ToRelay},
};

/// The time by which a late session must outlive the current one to replace it.
const MIN_LATE_GAIN_MS: u64 = 5_000;

impl Client {
    /// Handles the session that the app provided.
    pub fn handle_session(&mut self, now: Now, fetch: FetchId, grant: SessionGrant) {
        let Some(request) = self.session_requests.take(fetch) else { return self.late_session(now, grant) };
        self.timers.stop(Timer::SessionRequest);
        match self.check_grant(now, grant) {
            Ok((session, identity)) => {
                self.adopt_session(now, session, identity);
                self.check_certificate(now, request);
            }
            Err(invalid) => self.session_failed(now, request, invalid.into()),
        }
        self.deliver_all(now);
        self.advance(now);
    }

    /// Handles that the app could not provide a session. A retryable error is retried; any other error ends everything that
    /// needs the connection.
    pub fn handle_session_failed(&mut self, now: Now, fetch: FetchId, error: ClientError) {
        let Some(request) = self.session_requests.take(fetch) else { return };
        self.timers.stop(Timer::SessionRequest);
        self.session_failed(now, request, error);
        self.deliver_all(now);
        self.advance(now);
    }

    /// Adopts a late session if the client has none, or if it outlives the current one. A session that arrives after the
    /// relay refused one is ignored, because it may be just as old.
    fn late_session(&mut self, now: Now, grant: SessionGrant) {
        if self.session_was_refused || self.phase.is_closed() {
            return;
        }
        let Ok((session, identity)) = self.check_grant(now, grant) else { return };
        let current_ms =
            self.session.as_ref().map_or(0, |current| current.remaining_ms(now.instant) + MIN_LATE_GAIN_MS);
        if !session.is_fresh(now.instant) || session.remaining_ms(now.instant) <= current_ms {
            return;
        }
        if matches!(self.phase, Phase::AwaitingSession) {
            self.session_requests.reset();
            self.timers.stop(Timer::SessionRequest);
        }
        self.adopt_session(now, session, identity);
        self.deliver_all(now);
        if matches!(self.phase, Phase::AwaitingRetry) {
            self.probe_connection(now);
        }
        self.advance(now);
    }

    pub(super) fn session_timed_out(&mut self, now: Now) {
        if let Some(fetch) = self.session_requests.pending() {
            let error =
                ClientError::new(Code::SessionUnavailable, "the app did not provide a session in time");
            self.handle_session_failed(now, fetch, error);
        }
    }

    /// Requests a session from the app, unless a request is already pending.
    pub(super) fn request_session(&mut self, now: Now, reason: SessionReason) {
        if self.session_requests.pending().is_some() {
            return;
        }
        let fetch = FetchId(self.next_id());
        let certify = self.signs;
        self.session_requests.begin(fetch, reason, certify);
        self.timers.set(Timer::SessionRequest, now.instant.after(self.config.session_timeout_ms));
        self.events.push_back(Event::SessionRequested { fetch, reason, certify });
    }

    pub(super) fn refresh_session(&mut self, now: Now) {
        self.request_session(now, SessionReason::Refresh);
    }

    /// Handles the end of the session that the relay announced. Plans the refresh after 70 to 85 % of the remaining time.
    pub(super) fn session_ends(&mut self, now: Now, expires_at: u64) {
        let (Some(session), Some(clock)) = (&mut self.session, self.relay_clock) else { return };
        let end = UnixSeconds(expires_at).millis().0;
        session.set_lifetime(now.instant, end.saturating_sub(clock.at(now.instant)));
        let remaining = session.remaining_ms(now.instant);
        let wait = renewal_wait(remaining, &mut *self.entropy);
        self.timers.set(Timer::SessionRefresh, now.instant.after(wait));
    }

    /// Handles that the relay or the app refused a refresh. Retries while the current session lasts.
    pub(super) fn refresh_failed(&mut self, now: Now, error: ClientError) {
        let remaining = self.session.as_ref().map_or(0, |session| session.remaining_ms(now.instant));
        if error.is_retryable() && remaining > 0 {
            let wait = retry_wait(remaining, &error, &mut *self.entropy);
            self.timers.set(Timer::SessionRefresh, now.instant.after(wait));
        }
        self.report_state(Some(error));
    }

    /// Checks a grant. Its app, installation, context and name tags must not differ from those of the client's channels, nor
    /// from those for which a publication was sealed that is sent again.
    fn check_grant(&self, now: Now, grant: SessionGrant) -> Result<(Session, Identity), InvalidGrant> {
        let (session, identity) = Session::check(grant, now, self.relay_clock)?;
        let differs = self.identity.as_ref().is_some_and(|current| *current != identity);
        if differs && !(self.channels.is_empty() && self.publishes.are_unsealed()) {
            Err(InvalidGrant::Identity)
        } else {
            Ok((session, identity))
        }
    }

    fn adopt_session(&mut self, now: Now, mut session: Session, identity: Identity) {
        self.channels.values_mut().for_each(|channel| channel.derive_keys(&session));
        self.publishes.forget_keys();
        let has_key = |key| session.has_key(key);
        self.session_requests.missing_keys.answered(now.instant, has_key, &mut *self.entropy);
        let token = session.token.clone();
        self.backend_clock = Some(session.clock);
        self.signers = core::mem::take(&mut session.signers);
        self.session = Some(session);
        self.identity = Some(identity);
        match self.phase {
            Phase::AwaitingSession => self.open_socket(now),
            Phase::Connected(_) => {
                let deadline = self.request_deadline(now);
                let request = self.requests.add(now.instant, deadline, Request::RefreshSession);
                self.send(&ToRelay::Refresh(Refresh { request, channel_id: Default::default(), token }));
            }
            _ => {}
        }
    }

    fn session_failed(&mut self, now: Now, request: SessionRequest, error: ClientError) {
        self.session_requests.missing_keys.failed(now.instant, &error, &mut *self.entropy);
        // A refresh that became due during this request waits for its session.
        let is_refresh =
            request.reason == SessionReason::Refresh || !self.timers.is_set(Timer::SessionRefresh);
        match self.phase {
            Phase::AwaitingSession if error.is_retryable() => {
                let after_ms = error.retry_after_ms;
                self.retry_later(now, error, after_ms);
            }
            Phase::AwaitingSession => self.give_up(now, error),
            Phase::Connected(_) => {
                if request.certify && !error.is_retryable() {
                    self.fail_unsigned(now, &error);
                }
                if is_refresh {
                    self.refresh_failed(now, error);
                }
            }
            _ => {}
        }
    }
}
