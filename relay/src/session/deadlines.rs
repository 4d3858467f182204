//! The deadlines of a session, by timer.

use crate::clock::Elapsed;
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
#[derive(Debug)]
pub(super) struct Deadlines {
    /// The start of the session.
    start: Instant,
    hello: Option<Elapsed>,
    session_expiry: Option<Elapsed>,
    heartbeat: Option<Elapsed>,
    silence: Option<Elapsed>,
    /// The timers of single channels.
    #[expect(
        clippy::box_collection,
        reason = "few sessions have such timers, and no session should be larger without them"
    )]
    channels: Option<Box<Vec<(Timer, Elapsed)>>>,
}

impl Deadlines {
    /// Creates the deadlines of a session that starts now, of which none is set.
    pub(super) fn new(start: Instant) -> Self {
        Self { start, hello: None, session_expiry: None, heartbeat: None, silence: None, channels: None }
    }

    /// Converts a time to one since the start of the session.
    pub(super) fn elapsed(&self, at: Instant) -> Elapsed {
        Elapsed::new(self.start, at)
    }

    /// Converts a time since the start of the session back.
    pub(super) fn instant(&self, elapsed: Elapsed) -> Instant {
        elapsed.instant(self.start)
    }

    pub(super) fn set(&mut self, timer: Timer, at: Instant) {
        let at = self.elapsed(at);
        if let Some(slot) = self.slot(timer) {
            *slot = Some(at);
            return;
        }
        let channels = self.channels.get_or_insert_default();
        match channels.iter_mut().find(|(known, _)| *known == timer) {
            Some((_, deadline)) => *deadline = at,
            None => channels.push((timer, at)),
        }
    }

    /// Sets a timer of the session that is not set, or is due later.
    pub(super) fn bring_forward(&mut self, timer: Timer, at: Instant) {
        let at = self.elapsed(at);
        if let Some(slot) = self.slot(timer) {
            *slot = Some(slot.map_or(at, |known| known.min(at)));
        }
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        match self.slot(timer) {
            Some(slot) => *slot = None,
            None => {
                let Some(channels) = &mut self.channels else { return };
                channels.retain(|(known, _)| *known != timer);
                if channels.is_empty() {
                    self.channels = None;
                }
            }
        }
    }

    pub(super) fn clear_all(&mut self) {
        *self = Self::new(self.start);
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.earliest().map(|at| self.instant(at))
    }

    /// Removes the earliest timer that is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        // Nearly every call finds nothing due, and then needs no timer.
        if self.earliest()? > self.elapsed(now) {
            return None;
        }
        let (timer, _) = self.all().min_by_key(|(_, at)| *at)?;
        self.clear(timer);
        Some(timer)
    }

    fn earliest(&self) -> Option<Elapsed> {
        let fixed = [self.hello, self.session_expiry, self.heartbeat, self.silence];
        let channels = self.channels.iter().flat_map(|channels| channels.iter().map(|(_, at)| *at));
        fixed.into_iter().flatten().chain(channels).min()
    }

    fn all(&self) -> impl Iterator<Item = (Timer, Elapsed)> {
        let fixed = [
            (Timer::Hello, self.hello),
            (Timer::SessionExpiry, self.session_expiry),
            (Timer::Heartbeat, self.heartbeat),
            (Timer::Silence, self.silence),
        ];
        let channels = self.channels.iter().flat_map(|channels| channels.iter().copied());
        fixed.into_iter().filter_map(|(timer, at)| Some((timer, at?))).chain(channels)
    }

    /// Returns the field of a timer that every session has.
    fn slot(&mut self, timer: Timer) -> Option<&mut Option<Elapsed>> {
        match timer {
            Timer::Hello => Some(&mut self.hello),
            Timer::SessionExpiry => Some(&mut self.session_expiry),
            Timer::Heartbeat => Some(&mut self.heartbeat),
            Timer::Silence => Some(&mut self.silence),
            Timer::ChannelExpiry(_) | Timer::PresenceExpiry(_) => None,
        }
    }
}
