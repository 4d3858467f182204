//! The page's surroundings: offline, hidden or frozen, and awake again; and a machine that slept without telling.
//!
//! While it is paused the client makes no attempt to come back by itself, or, where the browser says that it is offline,
//! a rare one; a connection that lives goes on. What wakes it makes it look around at once instead of waiting: an
//! attempt that waits for its time is made, and a connection that looks alive is asked with a `Ping`.

use crate::{
    Client, ClientError, Instant, Now, client::connect::Phase, entropy::below, state::timers::Timer,
};
use sealwire_protocol::{
    CloseCode, Code,
    wire::{Ping, ToRelay},
};

/// How long the relay may take to answer a `Ping`, and to open a connection that was under way when the page woke up.
const PROBE_MS: u64 = 4_000;
/// A request that is unanswered for so long makes the connection doubtful: the relay is asked with a `Ping`.
const QUIET_MS: u64 = 3_000;
/// Over how much the ways back are spread after such a `Ping` stayed unanswered.
const DOUBT_SPREAD_MS: u64 = 3_000;
/// Bytes a millisecond of a slow uplink: the answer to a `Ping` comes after the publications sent before it.
const SLOW_UPLINK: u64 = 16;
/// How often a client that is connected looks at the clocks.
const WATCH_MS: u64 = 5_000;
/// A timer so late, or a wall clock so far ahead of the timers', means that the machine slept.
const LATE_MS: u64 = 3_000;
/// How often a client tries although the browser says that there is no network, and over how much it is spread.
const OFFLINE_RETRY_MS: u64 = 60_000;
const OFFLINE_SPREAD_MS: u64 = 30_000;
const CLOSE_NORMAL: u16 = 1000;

/// Why attempts to connect make no sense for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// The browser says that there is no network. It may be wrong: a connection that answers goes on, and one that is
    /// lost is tried again now and then.
    Offline,
    /// Nobody has looked at the page for long. A connection that lives goes on.
    Hidden,
    /// The page is about to be frozen or put aside; nothing of it will run. The connection is closed.
    Frozen,
}

impl Pause {
    fn error(self) -> ClientError {
        ClientError::unreachable(match self {
            Self::Offline => "the browser is offline; the connection comes back with the network",
            Self::Hidden => "the page is hidden; the connection comes back when it is shown",
            Self::Frozen => "the page is frozen; the connection comes back when it is resumed",
        })
    }
}

#[derive(Default)]
pub(crate) struct Wake {
    paused: Option<Pause>,
    /// When the next attempt is due, and whether the relay asked for that much time.
    retry: Option<(Instant, bool)>,
    /// The clocks when they were last looked at.
    seen: Option<Now>,
    /// The moment of the `Ping` that the relay has not answered.
    probed_at: Option<Instant>,
    /// It was asked because of a request that stayed unanswered.
    doubts: bool,
}

impl Wake {
    pub(crate) fn is_paused(&self) -> bool {
        self.paused.is_some()
    }
}

impl Client {
    /// No attempt to connect makes sense from now on.
    pub fn handle_pause(&mut self, now: Now, pause: Pause) {
        if matches!(self.phase, Phase::Closed) {
            return;
        }
        self.wake.paused = Some(pause);
        match self.phase {
            Phase::AwaitingRetry => {
                self.plan_retry(now);
                self.show(Some(pause.error()));
            }
            _ if pause == Pause::Frozen => self.lost(now, pause.error(), Some(CLOSE_NORMAL)),
            Phase::Live(_) => self.probe(now, false),
            _ => {}
        }
    }

    /// The network is there again, the page is shown or resumed: whatever was waited for is tried now.
    pub fn handle_wake(&mut self, now: Now) {
        self.wake.paused = None;
        self.look_around(now);
        self.settle(now);
    }

    /// Finds out at once how the connection stands.
    pub(crate) fn look_around(&mut self, now: Now) {
        match self.phase {
            Phase::Live(_) => {
                self.wake.doubts = false;
                self.probe(now, false);
            }
            Phase::AwaitingOpen(_) | Phase::AwaitingWelcome(_) => {
                self.timers.hasten(Timer::Welcome, now.instant.after(PROBE_MS));
            }
            Phase::AwaitingRetry if self.wake.paused.is_none() => match self.wake.retry {
                // The relay's own word is kept.
                Some((at, true)) if at > now.instant => {
                    self.timers.set(Timer::Retry, at);
                    self.show(None);
                }
                _ => self.connect(now),
            },
            _ => {}
        }
    }

    /// The next attempt is due at `at`, if the surroundings are for it; `asked` says that the relay named that time.
    pub(crate) fn wait_to_retry(&mut self, now: Now, at: Instant, asked: bool) {
        self.wake.retry = Some((at, asked));
        self.plan_retry(now);
    }

    fn plan_retry(&mut self, now: Now) {
        let Some((at, _)) = self.wake.retry else { return };
        match self.wake.paused {
            None => self.timers.set(Timer::Retry, at),
            Some(Pause::Offline) => {
                let rare = OFFLINE_RETRY_MS + below(&mut *self.entropy, OFFLINE_SPREAD_MS);
                self.timers.set(Timer::Retry, at.max(now.instant.after(rare)));
            }
            Some(Pause::Hidden | Pause::Frozen) => self.timers.stop(Timer::Retry),
        }
    }

    /// Deadlines passed while the machine slept, and the relay's answers may lie unread: they get the time of a `Ping`.
    pub(crate) fn wait_for_what_came_meanwhile(&mut self, now: Now) {
        let later = now.instant.after(PROBE_MS);
        self.requests.postpone(now.instant, later);
        self.publishes.postpone(now.instant, later);
        self.sessions.missing.woke(now.instant);
        self.channels.values_mut().for_each(|channel| channel.missing.woke(now.instant));
        for due in self.subscriptions.values_mut().filter_map(|known| known.due.as_mut()) {
            *due = if *due <= now.instant { later } else { *due };
        }
    }

    fn probe(&mut self, now: Now, doubts: bool) {
        if !self.timers.is_set(Timer::Probe) {
            self.wake.doubts = doubts;
            self.wake.probed_at = Some(now.instant);
            self.timers.set(Timer::Probe, now.instant.after(PROBE_MS + self.publishes.bytes() / SLOW_UPLINK));
            self.send(&ToRelay::Ping(Ping {}));
        }
    }

    /// Asks the relay where a request stays unanswered.
    pub(crate) fn probe_in_doubt(&mut self, now: Now) {
        if matches!(self.phase, Phase::Live(_)) {
            self.probe(now, true);
        }
    }

    /// The moment at which a request has been unanswered for so long that the relay is asked with a `Ping`.
    pub(crate) fn doubted_at(&self) -> Option<Instant> {
        if !matches!(self.phase, Phase::Live(_)) || self.timers.is_set(Timer::Probe) {
            return None;
        }
        self.requests.quiet_for(QUIET_MS)
    }

    /// The connection only looked alive. A page that woke up tries the way back at once: it was the connection and not the
    /// relay. Otherwise it may have been the relay, and its clients come back spread.
    pub(crate) fn probe_unanswered(&mut self, now: Now, slept: bool) {
        let Phase::Live(live) = &self.phase else { return };
        // The answer may lie unread after a sleep: the relay is asked again.
        if slept {
            return;
        }
        let heard_since = self.wake.probed_at.filter(|at| live.last_heard > *at);
        let patience = heard_since.map(|at| at.after(self.config.request_timeout_ms));
        // The answer may be behind much else that is on its way here.
        if let Some(end) = patience.filter(|end| *end > now.instant) {
            return self.timers.set(Timer::Probe, end.min(now.instant.after(PROBE_MS)));
        }
        let error = ClientError::new(Code::HeartbeatTimeout, "the relay did not answer a ping in time");
        self.lost(now, error, Some(CloseCode::Timeout as u16));
        if !core::mem::take(&mut self.wake.doubts) {
            self.look_around(now);
        } else if matches!(self.phase, Phase::AwaitingRetry) {
            let wait = below(&mut *self.entropy, DOUBT_SPREAD_MS);
            self.wait_to_retry(now, now.instant.after(wait), false);
        }
    }

    /// Looks at the clocks, now and again while connected.
    pub(crate) fn watch(&mut self, now: Now) {
        self.wake.seen = Some(now);
        if matches!(self.phase, Phase::Live(_)) {
            self.timers.set(Timer::Watch, now.instant.after(WATCH_MS));
        }
    }

    /// Whether the timers come late, or the wall clock ran on while they stood still.
    pub(crate) fn has_slept(&self, now: Now) -> bool {
        let late = self.poll_timeout().is_some_and(|due| now.instant.since(due) > LATE_MS);
        let ahead = self.wake.seen.is_some_and(|seen| {
            let wall = now.unix.0.saturating_sub(seen.unix.0);
            wall.saturating_sub(now.instant.since(seen.instant)) > LATE_MS
        });
        late || ahead
    }
}
