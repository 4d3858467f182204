//! Everything that publishers and subscribers saw during a run. The relay's own figures are no part of it.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Milliseconds since the start of the run.
pub type Millis = u64;

/// A position in the history of a stream, as an event id states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The epoch.
    pub epoch: u64,
    /// The offset within the epoch.
    pub offset: u64,
}

impl Place {
    /// Reads an event id: the epoch in hexadecimal, a dash, and the offset.
    #[must_use]
    pub fn parse(event_id: &str) -> Option<Self> {
        let (epoch, offset) = event_id.split_once('-')?;
        Some(Self { epoch: u64::from_str_radix(epoch, 16).ok()?, offset: offset.parse().ok()? })
    }
}

/// A message that a publisher handed over. Its number is its index in [`History::publications`].
#[derive(Clone, Debug)]
pub struct Publication {
    /// The index of the channel.
    pub channel: usize,
    /// The index of the publisher, whose messages on one channel keep their order.
    pub publisher: usize,
    /// The time of the call.
    pub started_at: Millis,
    /// The answer so far.
    pub outcome: Outcome,
}

/// The answer to a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is none yet.
    Pending,
    /// A relay acknowledged it.
    Acknowledged {
        /// The time.
        at: Millis,
        /// Its position.
        place: Place,
    },
    /// The publisher gave up. The message may have arrived.
    Failed,
}

/// One subscription of one subscriber, with all of its events in order.
#[derive(Clone, Debug, Default)]
pub struct Subscription {
    /// The index of the subscriber.
    pub subscriber: usize,
    /// The index of the channel.
    pub channel: usize,
    /// The events.
    pub events: Vec<(Millis, Seen)>,
}

/// One event of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The relay confirmed the subscription.
    Confirmed,
    /// A message arrived.
    Message {
        /// Its number, from its payload.
        message: usize,
        /// Its position.
        place: Place,
    },
    /// The client reported a gap.
    Gap {
        /// The last position before the gap.
        from: Option<Place>,
        /// The position after which messages continue.
        to: Place,
    },
    /// Anything that must not happen: an unreadable message, or the end of the subscription.
    Broken(String),
}

/// A period in which the broker may have lost what it stored, because too few of its servers were left.
#[derive(Clone, Copy, Debug)]
pub struct Risk {
    /// The start.
    pub from: Millis,
    /// The end; `None` while it lasts.
    pub to: Option<Millis>,
}

/// The record of a run.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The names of the channels.
    pub channels: Vec<String>,
    /// All publications, in the order of the calls.
    pub publications: Vec<Publication>,
    /// All subscriptions.
    pub subscriptions: Vec<Subscription>,
    /// The periods in which stored messages may have been lost.
    pub risks: Vec<Risk>,
    /// The faults, with their times.
    pub faults: Vec<(Millis, String)>,
    /// The time after which nothing but last messages is published.
    pub traffic_ended_at: Option<Millis>,
    /// The number of times that a client connected again.
    pub reconnects: u64,
    /// Failures that concern no subscription, such as a relay that ended by itself.
    pub failures: Vec<String>,
}

/// Records a run from many tasks and threads.
pub struct Recorder {
    start: Instant,
    history: Mutex<History>,
}

impl Recorder {
    /// Starts the clock.
    #[must_use]
    pub fn new(channels: Vec<String>) -> Self {
        Self { start: Instant::now(), history: History { channels, ..History::default() }.into() }
    }

    /// Returns the time since the start.
    #[must_use]
    pub fn now(&self) -> Millis {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Returns the record so far.
    pub fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the call of a publisher and returns the message's number.
    pub fn publish(&self, publisher: usize, channel: usize) -> usize {
        let mut history = self.history();
        let publication =
            Publication { channel, publisher, started_at: self.now(), outcome: Outcome::Pending };
        history.publications.push(publication);
        history.publications.len() - 1
    }

    /// Records the acknowledgement of a message, or the end of its publisher's patience.
    pub fn published(&self, message: usize, place: Option<Place>) {
        let at = self.now();
        let outcome = place.map_or(Outcome::Failed, |place| Outcome::Acknowledged { at, place });
        self.history().publications[message].outcome = outcome;
    }

    /// Records a new subscription and returns its index.
    pub fn subscribe(&self, subscriber: usize, channel: usize) -> usize {
        let mut history = self.history();
        history.subscriptions.push(Subscription { subscriber, channel, events: Vec::new() });
        history.subscriptions.len() - 1
    }

    /// Records an event of a subscription.
    pub fn see(&self, subscription: usize, seen: Seen) {
        let mut history = self.history();
        let at = self.now();
        history.subscriptions[subscription].events.push((at, seen));
    }

    /// Records that nothing but last messages is published from now on.
    pub fn traffic_ends(&self) {
        let at = self.now();
        self.history().traffic_ended_at = Some(at);
    }

    /// Records a fault.
    pub fn fault(&self, fault: String) {
        let at = self.now();
        self.history().faults.push((at, fault));
    }

    /// Records that stored messages may be lost from now on.
    pub fn risk_begins(&self) {
        let from = self.now();
        self.history().risks.push(Risk { from, to: None });
    }

    /// Records that the broker is whole again.
    pub fn risk_ends(&self) {
        let now = self.now();
        self.history().risks.iter_mut().for_each(|risk| risk.to = risk.to.or(Some(now)));
    }

    /// Records a failure that concerns no subscription.
    pub fn fail(&self, reason: String) {
        self.history().failures.push(reason);
    }
}
