//! The deadlines of a session, by timer.

use sealwire_protocol::ChannelId;
use std::time::Instant;

/// A timer of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// `Hello` must have arrived.
    Hello,
    /// The session token expires.
    SessionExpiry,
    /// The channel token of a subscription expires.
    ChannelExpiry(ChannelId),
    /// The channel token of the session's part in a presence expires.
    PresenceExpiry(ChannelId),
    /// The next `Ping` is due.
    Heartbeat,
    /// The client must have sent something.
    Silence,
}

/// The deadline of each timer: a field for each timer that every session has, and an entry for every channel token in use.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    hello: Option<Instant>,
    session_expiry: Option<Instant>,
    heartbeat: Option<Instant>,
    silence: Option<Instant>,
    /// The timers of single channels.
    channels: Vec<(Timer, Instant)>,
}

impl Deadlines {
    pub(super) fn set(&mut self, timer: Timer, at: Instant) {
        if let Some(slot) = self.slot(timer) {
            *slot = Some(at);
            return;
        }
        match self.channels.iter_mut().find(|(known, _)| *known == timer) {
            Some((_, deadline)) => *deadline = at,
            None => self.channels.push((timer, at)),
        }
    }

    /// Sets a timer of the session that is not set, or is due later.
    pub(super) fn bring_forward(&mut self, timer: Timer, at: Instant) {
        if let Some(slot) = self.slot(timer) {
            *slot = Some(slot.map_or(at, |known| known.min(at)));
        }
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        match self.slot(timer) {
            Some(slot) => *slot = None,
            None => self.channels.retain(|(known, _)| *known != timer),
        }
    }

    pub(super) fn clear_all(&mut self) {
        *self = Self::default();
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.all().map(|(_, at)| at).min()
    }

    /// Removes the earliest timer that is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let (timer, at) = self.all().min_by_key(|(_, at)| *at)?;
        if at > now {
            return None;
        }
        self.clear(timer);
        Some(timer)
    }

    fn all(&self) -> impl Iterator<Item = (Timer, Instant)> {
        let fixed = [
            (Timer::Hello, self.hello),
            (Timer::SessionExpiry, self.session_expiry),
            (Timer::Heartbeat, self.heartbeat),
            (Timer::Silence, self.silence),
        ];
        fixed.into_iter().filter_map(|(timer, at)| Some((timer, at?))).chain(self.channels.iter().copied())
    }

    /// Returns the field of a timer that every session has.
    fn slot(&mut self, timer: Timer) -> Option<&mut Option<Instant>> {
        match timer {
            Timer::Hello => Some(&mut self.hello),
            Timer::SessionExpiry => Some(&mut self.session_expiry),
            Timer::Heartbeat => Some(&mut self.heartbeat),
            Timer::Silence => Some(&mut self.silence),
            Timer::ChannelExpiry(_) | Timer::PresenceExpiry(_) => None,
        }
    }
}
