//! The table of a session's timers.

use sealwire_protocol::ChannelId;
use std::time::Instant;

/// What a session waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// `Hello` must have come.
    Hello,
    /// The session token expires.
    SessionExpiry,
    /// The channel token of a subscription expires.
    ChannelExpiry(ChannelId),
    /// The next `Ping` is due.
    Heartbeat,
    /// The client must have been heard.
    Silence,
}

/// When each timer fires. A handful of entries, one more per subscription with a channel token.
#[derive(Debug, Default)]
pub(super) struct Deadlines(Vec<(Timer, Instant)>);

impl Deadlines {
    pub(super) fn set(&mut self, timer: Timer, at: Instant) {
        match self.0.iter_mut().find(|(known, _)| *known == timer) {
            Some((_, deadline)) => *deadline = at,
            None => self.0.push((timer, at)),
        }
    }

    pub(super) fn clear(&mut self, timer: Timer) {
        self.0.retain(|(known, _)| *known != timer);
    }

    pub(super) fn clear_all(&mut self) {
        self.0 = Vec::new();
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.0.iter().map(|(_, at)| *at).min()
    }

    /// Removes the earliest timer that is due.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let (index, (timer, at)) = self.0.iter().copied().enumerate().min_by_key(|(_, (_, at))| *at)?;
        if at > now {
            return None;
        }
        self.0.swap_remove(index);
        Some(timer)
    }
}
