//! Deadlines: the shell's timer, and the errors of calls that waited too long.

use crate::{
    Client, ClientError, Event, Instant, Now, PublishId, SubscriptionId,
    state::{phase::Phase, probe::PROBE_TIMEOUT_MS, subscription::Subscription, timers::Timer},
};
use sealwire_protocol::Code;

const SESSION_FUNCTION: &str = "the app's session function";

impl Client {
    /// Handles every deadline that has passed. An early or late call does no harm.
    pub fn handle_timeout(&mut self, now: Now) {
        let has_slept = self.sleep_detector.has_slept(now, self.poll_timeout());
        if has_slept {
            self.extend_deadlines(now);
        }
        while let Some(timer) = self.timers.take_due(now.instant) {
            match timer {
                Timer::SessionRequest => self.session_timed_out(now),
                Timer::Welcome => self.welcome_timed_out(now),
                Timer::Silence => self.check_silence(now, has_slept),
                Timer::Retry => self.connect(now),
                Timer::SessionRefresh => self.refresh_session(now),
                Timer::Idle => self.go_idle(None),
                Timer::Probe => self.probe_timed_out(now, has_slept),
                Timer::SleepCheck => self.record_clocks(now),
            }
        }
        self.renew_tokens(now);
        self.expire_tokens(now);
        self.expire_members(now);
        self.request_keys(now);
        self.expire_subscriptions(now);
        self.expire_publishes(now);
        if self.requests.deadline().is_some_and(|deadline| deadline <= now.instant) {
            self.request_timed_out(now);
        }
        if has_slept {
            self.probe_connection(now);
        } else if self.suspicion_at().is_some_and(|at| at <= now.instant) {
            self.probe_suspect(now);
        }
        self.advance(now);
    }

    /// Extends the deadlines that passed while the machine slept: the relay's answers may have arrived and not been read
    /// yet. They get the time of a probe.
    fn extend_deadlines(&mut self, now: Now) {
        let later = now.instant.after(PROBE_TIMEOUT_MS);
        self.requests.postpone(now.instant, later);
        self.publishes.postpone(now.instant, later);
        self.session_requests.missing_keys.extend_wait(now.instant);
        self.channels.values_mut().for_each(|channel| channel.missing_keys.extend_wait(now.instant));
        self.subscriptions.values_mut().for_each(|subscription| subscription.postpone(now.instant, later));
    }

    /// Fails the subscriptions that the relay has not confirmed in time.
    fn expire_subscriptions(&mut self, now: Now) {
        let is_due = |deadline: Instant| deadline <= now.instant;
        let expired: Vec<SubscriptionId> = self
            .subscriptions
            .iter()
            .filter(|(_, subscription)| subscription.deadline().is_some_and(is_due))
            .map(|(id, _)| id)
            .collect();
        for id in expired {
            let channel = self.subscriptions.get(&id).and_then(Subscription::channel);
            let channel = channel.and_then(|id| self.channels.get(&id));
            let refusal = channel.and_then(|channel| channel.last_refusal().cloned());
            let error = refusal.unwrap_or_else(|| self.timeout_error());
            self.fail_subscription(now, id, error);
        }
    }

    /// Fails the publications that the relay has not acknowledged in time.
    fn expire_publishes(&mut self, now: Now) {
        let expired = self.publishes.expired(now.instant);
        if expired.iter().any(|id| self.publishes.is_in_flight(*id)) {
            self.probe_suspect(now);
        }
        for id in expired {
            let error = match self.publishes.refusal_of(id) {
                Some(refusal) => refusal.clone(),
                None if self.awaits_certificate(now, id) => ClientError::slow_provider(SESSION_FUNCTION),
                None => self.timeout_error(),
            };
            self.fail_publish(id, error);
        }
    }

    /// Returns the error of a call that timed out. It names the side that was slow.
    fn timeout_error(&self) -> ClientError {
        match (&self.phase, &self.last_error) {
            (Phase::AwaitingSession, Some(error)) if error.is(Code::SessionUnavailable) => error.clone(),
            (Phase::AwaitingSession, _) => ClientError::slow_provider(SESSION_FUNCTION),
            // To a caller, a missed heartbeat is a relay that did not answer.
            (_, Some(error)) if error.is(Code::HeartbeatTimeout) => ClientError::unreachable(&error.message),
            (_, Some(error)) => error.clone(),
            _ => ClientError::unreachable("the relay did not answer in time"),
        }
    }

    /// Fails every call that waits. Confirmed subscriptions stay.
    pub(super) fn fail_calls(&mut self, error: &ClientError) {
        let events = &mut self.events;
        self.subscriptions.retain(|id, subscription| {
            if !subscription.is_confirmed() {
                events.push_back(Event::SubscribeDone { subscription: id, result: Err(error.clone()) });
            }
            subscription.is_confirmed()
        });
        for id in self.publishes.ids() {
            self.fail_publish(id, error.clone());
        }
        self.fail_presences(error);
    }

    /// Fails a publication that ends without the relay's answer.
    pub(super) fn fail_publish(&mut self, id: PublishId, error: ClientError) {
        let may_have_arrived = self.publishes.was_interrupted(id) || self.publishes.is_in_flight(id);
        self.finish_publish(id, Err(error.about_publication(may_have_arrived)));
    }
}
