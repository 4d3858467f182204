//! Probes: a `Ping` checks a connection that may be dead, after a sleep or while a request stays unanswered.

use crate::{
    Client, ClientError, Instant, Now,
    entropy::below,
    state::{phase::Phase, probe::PROBE_TIMEOUT_MS, timers::Timer},
};
use sealwire_protocol::{
    CloseCode, Code,
    wire::{Ping, ToRelay},
};

/// The time without any answer after which a pending request makes the connection suspect.
const SUSPECT_AFTER_MS: u64 = 3_000;
/// The time over which clients return after the relay left the probe of a suspect connection unanswered.
const SUSPECT_SPREAD_MS: u64 = 3_000;
/// The interval at which a connected client compares the clocks.
const SLEEP_CHECK_MS: u64 = 5_000;

impl Client {
    /// Checks the connection at once, or makes the postponed attempt to connect. A time that the relay requested is kept.
    pub(super) fn probe_connection(&mut self, now: Now) {
        match self.phase {
            Phase::Connected(_) => {
                self.probe.take_suspicion();
                self.send_probe(now, false);
            }
            Phase::AwaitingOpen(_) | Phase::AwaitingWelcome(_) => {
                self.timers.set_earlier(Timer::Welcome, now.instant.after(PROBE_TIMEOUT_MS));
            }
            Phase::AwaitingRetry if !self.retry.is_paused() => {
                match self.retry.requested_by_relay(now.instant) {
                    Some(at) => {
                        self.timers.set(Timer::Retry, at);
                        self.report_state(None);
                    }
                    None => self.connect(now),
                }
            }
            _ => {}
        }
    }

    /// Sends a `Ping` on the connection, unless one is unanswered.
    pub(super) fn send_probe(&mut self, now: Now, is_suspicion: bool) {
        if !self.timers.is_set(Timer::Probe) {
            let deadline = self.probe.start(now.instant, is_suspicion, self.publishes.bytes());
            self.timers.set(Timer::Probe, deadline);
            self.send(&ToRelay::Ping(Ping::default()));
        }
    }

    /// Sends a `Ping` because a request stays unanswered.
    pub(super) fn probe_suspect(&mut self, now: Now) {
        if self.phase.is_connected() {
            self.send_probe(now, true);
        }
    }

    /// Returns the time at which an unanswered request makes the connection suspect.
    pub(super) fn suspicion_at(&self) -> Option<Instant> {
        if !self.phase.is_connected() || self.timers.is_set(Timer::Probe) {
            return None;
        }
        self.requests.unanswered_for(SUSPECT_AFTER_MS)
    }

    /// Handles that the relay has not answered the `Ping` in time: the connection is dead. After a sleep or a pause the
    /// connection alone is at fault, so the client reconnects at once. Otherwise the relay may be at fault, so its clients
    /// return spread over [`SUSPECT_SPREAD_MS`].
    pub(super) fn probe_timed_out(&mut self, now: Now, has_slept: bool) {
        let Phase::Connected(connection) = &self.phase else { return };
        // After a sleep the answer may not have been read yet. The caller sends another `Ping`.
        if has_slept {
            return;
        }
        // A relay that sends other frames has time for a whole request: its answer may be queued behind them.
        let is_alive = |sent_at: &Instant| connection.last_seen_at() > *sent_at;
        let alive_deadline = self
            .probe
            .sent_at()
            .filter(is_alive)
            .map(|sent_at| sent_at.after(self.config.request_timeout_ms));
        if let Some(deadline) = alive_deadline.filter(|deadline| *deadline > now.instant) {
            return self.timers.set(Timer::Probe, deadline.min(now.instant.after(PROBE_TIMEOUT_MS)));
        }
        let error = ClientError::new(Code::HeartbeatTimeout, "the relay did not answer a ping in time");
        self.connection_lost(now, error, Some(CloseCode::Timeout as u16));
        if !self.probe.take_suspicion() {
            self.probe_connection(now);
        } else if matches!(self.phase, Phase::AwaitingRetry) {
            let wait = below(&mut *self.entropy, SUSPECT_SPREAD_MS);
            self.schedule_retry(now, now.instant.after(wait), false);
        }
    }

    /// Records the clocks for the detection of sleep, and again later while connected.
    pub(super) fn record_clocks(&mut self, now: Now) {
        self.sleep_detector.record(now);
        if self.phase.is_connected() {
            self.timers.set(Timer::SleepCheck, now.instant.after(SLEEP_CHECK_MS));
        }
    }
}
