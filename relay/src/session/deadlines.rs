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
    /// The next `Ping` is due.
    Heartbeat,
    /// The client must have sent something.
    Silence,
}

/// The deadline of each timer: a field for each timer that every session has, and an entry for every channel token.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    hello: Option<Instant>,
    session_expiry: Option<Instant>,
    heartbeat: Option<Instant>,
    silence: Option<Instant>,
    channel_expiries: Vec<(ChannelId, Instant)>,
}

impl Deadlines {
    pub(super) fn set(&mut self, timer: Timer, at: Instant) {
        if let Timer::ChannelExpiry(channel) = timer {
            match self.channel_expiries.iter_mut().find(|(known, _)| *known == channel) {
                Some((_, deadline)) => *deadline = at,
                None => self.channel_expiries.push((channel, at)),
            }
        } else if let Some(slot) = self.slot(timer) {
            *slot = Some(at);
        }
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        if let Timer::ChannelExpiry(channel) = timer {
            self.channel_expiries.retain(|(known, _)| *known != channel);
        } else if let Some(slot) = self.slot(timer) {
            *slot = None;
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
        let channels =
            self.channel_expiries.iter().map(|(channel, at)| (Timer::ChannelExpiry(*channel), *at));
        fixed.into_iter().filter_map(|(timer, at)| Some((timer, at?))).chain(channels)
    }

    /// Returns the field of a timer that every session has.
    fn slot(&mut self, timer: Timer) -> Option<&mut Option<Instant>> {
        match timer {
            Timer::Hello => Some(&mut self.hello),
            Timer::SessionExpiry => Some(&mut self.session_expiry),
            Timer::Heartbeat => Some(&mut self.heartbeat),
            Timer::Silence => Some(&mut self.silence),
            Timer::ChannelExpiry(_) => None,
        }
    }
}
