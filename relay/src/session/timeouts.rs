//! The timers of a session: the hello timeout, heartbeats, idle and silent clients, and the expiry of tokens.

use super::{SessionAction, SessionRules, SessionState, deadlines::Timer};
use crate::{clock::Now, refused::Refused};
use sealwire_protocol::{
    Code,
    wire::{Ping, ToClient},
};
use std::time::{Duration, Instant};

impl SessionRules {
    /// Advances the session to `now`. Does nothing before [`Self::poll_timeout`].
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(timer) = self.deadlines.take_due(now.monotonic) {
            match timer {
                Timer::Hello if let Some(later) = self.stall_grace(now, self.config.hello_timeout) => {
                    self.deadlines.set(timer, later);
                }
                Timer::Hello => {
                    let message = "no Hello arrived within the hello timeout (`hello_timeout`); send it right after connecting";
                    self.goodbye(Refused::new(Code::HelloTimeout, message));
                }
                Timer::Silence => self.check_silence(now),
                Timer::Heartbeat if self.is_idle(now) => {
                    let message = "the session had no subscription and no request for too long (`idle_timeout`); reconnect when needed";
                    self.goodbye(Refused::new(Code::IdleTimeout, message));
                }
                Timer::Heartbeat => {
                    let marks = self.config.marks.current().to_vec();
                    self.actions.push_back(SessionAction::Send(ToClient::Ping(Ping { marks })));
                    self.deadlines.set(Timer::Heartbeat, now.monotonic + self.ping_interval());
                    self.follow_wall_clock(now);
                }
                Timer::SessionExpiry => {
                    let SessionState::Established(open) = &self.state else { continue };
                    let expiry = open.grant.exp.millis();
                    if now.wall < expiry {
                        self.deadlines.set(Timer::SessionExpiry, now.instant_of(expiry));
                        continue;
                    }
                    let message = "the session token has expired; fetch a fresh one and reconnect";
                    self.goodbye(Refused::new(Code::TokenExpired, message));
                }
                Timer::PresenceExpiry(channel) => {
                    let SessionState::Established(open) = &mut self.state else { continue };
                    let later = open.expire_presence(channel, now, &mut self.deadlines, &mut self.actions);
                    if let Some(later) = later {
                        self.deadlines.set(timer, now.instant_of(later));
                    }
                }
                Timer::ChannelExpiry(channel) => {
                    let SessionState::Established(open) = &mut self.state else { continue };
                    if let Some(later) = open.expire(channel, now, &mut self.actions) {
                        self.deadlines.set(timer, now.instant_of(later));
                    }
                }
            }
        }
    }

    /// Returns whether the client has no subscription, no part in a presence, and has made no request for the idle timeout.
    fn is_idle(&self, now: Now) -> bool {
        let timeout = self.config.limits.settings().idle_timeout;
        if self.stall_grace(now, self.config.heartbeat).is_some() {
            return false;
        }
        matches!(&self.state, SessionState::Established(open) if open.has_no_channel() && !open.is_waiting())
            && now.monotonic.saturating_duration_since(self.deadlines.instant(self.last_request_at))
                >= timeout
    }

    /// Applies the shorter [`Self::ping_interval`] to a session that has become a member of a presence.
    pub(super) fn hasten_pings(&mut self) {
        if self.is_member() {
            let interval = self.ping_interval();
            let last_seen = self.deadlines.instant(self.last_seen_at);
            self.deadlines.bring_forward(Timer::Heartbeat, last_seen + interval);
            self.deadlines.bring_forward(Timer::Silence, last_seen + 2 * interval);
        }
    }

    /// Returns the interval of `Ping`, of which a client may be silent for two. It is 0.45 of a heartbeat for a member of a presence:
    /// one that vanishes is gone for the others within a heartbeat and its grace time, of which a tenth of a heartbeat is left for
    /// the way of its last message and of the change.
    fn ping_interval(&self) -> Duration {
        if self.is_member() { self.config.heartbeat * 9 / 20 } else { self.config.heartbeat }
    }

    fn is_member(&self) -> bool {
        matches!(&self.state, SessionState::Established(open) if open.presences.have_member())
    }

    fn check_silence(&mut self, now: Now) {
        let deadline = self.deadlines.instant(self.last_seen_at) + 2 * self.ping_interval();
        let later = if now.monotonic < deadline {
            Some(deadline)
        } else {
            self.stall_grace(now, self.config.heartbeat)
        };
        if let Some(later) = later {
            self.deadlines.set(Timer::Silence, later);
            return;
        }
        let message = if self.is_member() {
            "nothing was received from the member of a presence for 0.9 of a heartbeat (`heartbeat`); reconnect"
        } else {
            "nothing was received from the client for two heartbeats (`heartbeat`); reconnect"
        };
        self.goodbye(Refused::new(Code::HeartbeatTimeout, message));
    }

    /// Returns the earliest time at which a silent client may be disconnected, or `None` if that is now. After a stall
    /// of the relay, it first reads the messages that clients sent meanwhile, for the time `grace`.
    fn stall_grace(&self, now: Now, grace: Duration) -> Option<Instant> {
        let earliest = self.config.stall_detector.last_resumed(now.monotonic)? + grace;
        (now.monotonic < earliest).then_some(earliest)
    }

    /// Recomputes the timers of all tokens, because the wall clock may have been set.
    fn follow_wall_clock(&mut self, now: Now) {
        let SessionState::Established(open) = &self.state else { return };
        self.deadlines.set(Timer::SessionExpiry, now.instant_of(open.grant.exp.millis()));
        for (channel, expiry) in open.channel_expiries() {
            self.deadlines.set(Timer::ChannelExpiry(channel), now.instant_of(expiry));
        }
        for (channel, expiry) in open.presence_expiries() {
            self.deadlines.set(Timer::PresenceExpiry(channel), now.instant_of(expiry));
        }
    }
}
