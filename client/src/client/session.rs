//! Sessions: asking the app for them, taking them in, and renewing them before they end.

use crate::{
    Client, ClientError, Event, FetchId, Now, SessionGrant, SessionReason,
    client::connect::Phase,
    entropy::below,
    state::missing_keys::Missing,
    state::requests::Request,
    state::session::{Identity, InvalidGrant, Session},
    state::timers::Timer,
};
use sealwire_protocol::{
    Code, UnixSeconds,
    wire::{Refresh, ToRelay},
};

/// A session that comes late replaces one that it outlasts by more than this.
const LATE_GAIN_MS: u64 = 5_000;

/// What is asked of the app, and what asking did not bring.
#[derive(Default)]
pub(crate) struct Sessions {
    fetch: Option<(FetchId, SessionReason)>,
    /// The keys that the session lacks.
    pub(crate) missing: Missing,
}

impl Sessions {
    /// An answer that still comes is not wanted.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    fn take(&mut self, fetch: FetchId) -> Option<SessionReason> {
        let (_, reason) = self.fetch.take_if(|(awaited, _)| *awaited == fetch)?;
        Some(reason)
    }
}

impl Client {
    /// The app provided a session.
    pub fn handle_session(&mut self, now: Now, fetch: FetchId, grant: SessionGrant) {
        let Some(reason) = self.sessions.take(fetch) else { return self.late_session(now, grant) };
        self.timers.stop(Timer::Session);
        match self.check_grant(now, grant) {
            Ok((session, identity)) => self.adopt_session(now, session, identity),
            Err(invalid) => self.session_failed(now, reason, invalid.into()),
        }
        self.deliver_all(now);
        self.settle(now);
    }

    /// The app could not provide a session. Codes that cannot succeed later end everything; others are tried again.
    pub fn handle_session_failed(&mut self, now: Now, fetch: FetchId, error: ClientError) {
        let Some(reason) = self.sessions.take(fetch) else { return };
        self.timers.stop(Timer::Session);
        self.session_failed(now, reason, error);
        self.deliver_all(now);
        self.settle(now);
    }

    /// A session that comes after its time serves where there is none, or where it outlasts the one at hand; not after the
    /// relay has refused one, since this one may be no newer.
    fn late_session(&mut self, now: Now, grant: SessionGrant) {
        if self.refused_before || matches!(self.phase, Phase::Closed) {
            return;
        }
        let Ok((session, identity)) = self.check_grant(now, grant) else { return };
        let known_ms =
            self.session.as_ref().map_or(0, |known| known.remaining_ms(now.instant) + LATE_GAIN_MS);
        if !session.is_fresh(now.instant) || session.remaining_ms(now.instant) <= known_ms {
            return;
        }
        let connects = matches!(self.phase, Phase::AwaitingSession);
        if connects {
            self.sessions.forget();
            self.timers.stop(Timer::Session);
        }
        self.adopt_session(now, session, identity);
        self.deliver_all(now);
        if matches!(self.phase, Phase::AwaitingRetry) {
            self.look_around(now);
        }
        self.settle(now);
    }

    pub(crate) fn session_timed_out(&mut self, now: Now) {
        if let Some((fetch, _)) = self.sessions.fetch {
            let error = ClientError::new(Code::SessionUnavailable, "the app provided no session in time");
            self.handle_session_failed(now, fetch, error);
        }
    }

    /// Asks the app, unless it is being asked already.
    pub(crate) fn need_session(&mut self, now: Now, reason: SessionReason) {
        if self.sessions.fetch.is_some() {
            return;
        }
        let fetch = FetchId(self.next_id());
        self.sessions.fetch = Some((fetch, reason));
        self.timers.set(Timer::Session, now.instant.after(self.config.session_timeout_ms));
        self.events.push_back(Event::NeedSession { fetch, reason });
    }

    pub(crate) fn refresh_session(&mut self, now: Now) {
        self.need_session(now, SessionReason::Refresh);
    }

    /// The relay said when the session ends: plans its refresh at 70 to 85 % of what remains.
    pub(crate) fn session_ends(&mut self, now: Now, expires_at: u64) {
        let (Some(session), Some(clock)) = (&mut self.session, self.relay_clock) else { return };
        let end = UnixSeconds(expires_at).millis().0;
        session.ends_in(now.instant, end.saturating_sub(clock.at(now.instant)));
        let remaining = session.remaining_ms(now.instant);
        let wait = remaining / 100 * 70 + below(&mut *self.entropy, remaining / 100 * 15 + 1);
        self.timers.set(Timer::Refresh, now.instant.after(wait));
    }

    /// The relay or the app refused a refresh: tries again while the session lasts.
    pub(crate) fn refresh_failed(&mut self, now: Now, error: ClientError) {
        let remaining = self.session.as_ref().map_or(0, |session| session.remaining_ms(now.instant));
        if error.is_retryable() && remaining > 0 {
            let wait = (remaining / 4).clamp(1_000, 30_000);
            let wait = wait + below(&mut *self.entropy, wait / 4 + 1);
            let wait = wait.max(u64::from(error.retry_after_ms.unwrap_or(0)));
            self.timers.set(Timer::Refresh, now.instant.after(wait));
        }
        self.show(Some(error));
    }

    fn check_grant(&self, now: Now, grant: SessionGrant) -> Result<(Session, Identity), InvalidGrant> {
        let (session, identity) = Session::check(grant, now, self.relay_clock)?;
        let other = self.identity.as_ref().is_some_and(|known| *known != identity);
        if other && !self.channels.is_empty() { Err(InvalidGrant::Identity) } else { Ok((session, identity)) }
    }

    fn adopt_session(&mut self, now: Now, session: Session, identity: Identity) {
        for channel in self.channels.values_mut() {
            channel.keys = channel.spec.keys(&session, &channel.scope);
        }
        self.sessions.missing.answered(now.instant, |key| session.has_key(key), &mut *self.entropy);
        let token = session.token.clone();
        self.session = Some(session);
        self.identity = Some(identity);
        match self.phase {
            Phase::AwaitingSession => self.open(now),
            Phase::Live(_) => {
                let deadline = now.instant.after(self.config.request_timeout_ms);
                let request = self.requests.open(now.instant, deadline, Request::RefreshSession);
                self.send(&ToRelay::Refresh(Refresh { request, channel_id: Default::default(), token }));
            }
            _ => {}
        }
    }

    fn session_failed(&mut self, now: Now, reason: SessionReason, error: ClientError) {
        self.sessions.missing.failed(now.instant, &error, &mut *self.entropy);
        // A refresh that was due meanwhile waited for this session.
        let refreshes = reason == SessionReason::Refresh || !self.timers.is_set(Timer::Refresh);
        match self.phase {
            Phase::AwaitingSession if error.is_retryable() => {
                let after_ms = error.retry_after_ms;
                self.retry_later(now, error, after_ms);
            }
            Phase::AwaitingSession => self.give_up(now, error),
            Phase::Live(_) if refreshes => self.refresh_failed(now, error),
            _ => {}
        }
    }
}
