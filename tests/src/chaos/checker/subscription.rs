//! The check of one subscription.

use super::{
    gaps::{ReportedGap, Stored},
    index::Index,
    verdict::{Kind, Verdict},
};
use crate::chaos::history::{History, Millis, Outcome, Place, Publication, Seen, Subscription};
use std::collections::HashMap;

/// One subscription on its way through its events.
pub(super) struct Walk<'a> {
    history: &'a History,
    index: &'a Index,
    subscription: &'a Subscription,
    verdict: &'a mut Verdict,
    confirmed_at: Option<Millis>,
    last_seen_at: Millis,
    first: Option<Place>,
    position: Option<Place>,
    /// The time and position of the first delivery of each message.
    delivered: HashMap<usize, (Millis, Place)>,
    /// The latest message of each publisher.
    latest: HashMap<usize, usize>,
    gaps: Vec<ReportedGap>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        history: &'a History,
        index: &'a Index,
        subscription: &'a Subscription,
        verdict: &'a mut Verdict,
    ) -> Self {
        Self {
            history,
            index,
            subscription,
            verdict,
            confirmed_at: None,
            last_seen_at: 0,
            first: None,
            position: None,
            delivered: HashMap::new(),
            latest: HashMap::new(),
            gaps: Vec::new(),
        }
    }

    pub(super) fn check(mut self) {
        for (at, seen) in &self.subscription.events {
            self.see(*at, seen);
            self.last_seen_at = *at;
        }
        if self.confirmed_at.is_none() {
            self.find(Kind::Failure, || "the subscription was never confirmed".into());
        }
        let missed = self.missed();
        self.account_for_missed(&missed);
        self.account_for_gaps(&missed);
    }

    fn see(&mut self, at: Millis, seen: &Seen) {
        match seen {
            Seen::Confirmed => self.confirmed_at = self.confirmed_at.or(Some(at)),
            Seen::Message { message, place } => self.deliver(at, *message, *place),
            Seen::Gap { from, to } => {
                self.verdict.gaps += 1;
                let last_seen_at = self.last_seen_at;
                self.gaps.push(ReportedGap { at, last_seen_at, from: *from, to: *to });
                self.position = Some(*to);
            }
            Seen::Broken(reason) => self.find(Kind::Failure, || format!("at {at} ms: {reason}")),
        }
    }

    fn deliver(&mut self, at: Millis, message: usize, place: Place) {
        self.verdict.delivered += 1;
        let publication = self.history.publications.get(message);
        let Some(publication) =
            publication.filter(|publication| publication.channel == self.subscription.channel)
        else {
            return self
                .find(Kind::Misplaced, || format!("at {at} ms: message {message} is of another channel"));
        };
        if let Some((first_at, first)) = self.delivered.get(&message).copied() {
            return self.repeat(at, message, (first_at, first), place);
        }
        self.check_place(at, message, publication, place);
        self.check_order(at, message, publication, place);
        self.delivered.insert(message, (at, place));
        self.first.get_or_insert(place);
        self.position = Some(place);
    }

    /// Judges a second delivery. After a loss of its contents the broker takes a message again that nobody acknowledged.
    fn repeat(&mut self, at: Millis, message: usize, (first_at, first): (Millis, Place), place: Place) {
        let again = ReportedGap { at, last_seen_at: first_at, from: Some(first), to: place };
        if first.epoch != place.epoch && again.follows_a_loss(&self.history.risks) {
            self.verdict.repeated_after_loss += 1;
            self.position = Some(place);
        } else {
            self.find(Kind::Doubled, || {
                format!("message {message}, at {first_at} ms as {first:?} and at {at} ms as {place:?}")
            });
        }
    }

    fn check_place(&mut self, at: Millis, message: usize, publication: &Publication, place: Place) {
        if let Outcome::Acknowledged { place: acknowledged, .. } = publication.outcome
            && acknowledged.epoch == place.epoch
            && acknowledged != place
        {
            self.find(Kind::Misplaced, || {
                format!("at {at} ms: message {message} as {place:?}, acknowledged as {acknowledged:?}")
            });
        }
    }

    fn check_order(&mut self, at: Millis, message: usize, publication: &Publication, place: Place) {
        if let Some(before) = self.position {
            if before.epoch != place.epoch {
                self.find(Kind::SilentGap, || {
                    format!("at {at} ms: from {before:?} to {place:?} without a gap")
                });
            } else if before.offset >= place.offset && !self.index.reused.contains(&place.epoch) {
                self.find(Kind::Reordered, || format!("at {at} ms: {place:?} after {before:?}"));
            }
        }
        let latest = self.latest.entry(publication.publisher).or_insert(message);
        let latest = std::mem::replace(latest, message.max(*latest));
        if latest > message {
            let publisher = publication.publisher;
            self.find(Kind::Reordered, || {
                format!("at {at} ms: message {message} of publisher {publisher} after its message {latest}")
            });
        }
    }

    /// Returns the messages with a known position that did not arrive.
    fn missed(&self) -> Vec<(usize, Stored)> {
        let messages = self.index.messages.get(self.subscription.channel).into_iter().flatten();
        let missed = messages.filter(|message| !self.delivered.contains_key(message)).filter_map(|message| {
            let place = *self.index.places.get(message)?;
            let started_at = self.history.publications[*message].started_at;
            let stored = Stored { place, started_at };
            self.is_entitled(&stored).then_some((*message, stored))
        });
        missed.collect()
    }

    /// Returns whether the subscription was there before the message.
    fn is_entitled(&self, message: &Stored) -> bool {
        let is_behind_first = self
            .first
            .is_some_and(|first| first.epoch == message.place.epoch && first.offset < message.place.offset);
        is_behind_first || self.confirmed_at.is_some_and(|at| at <= message.started_at)
    }

    fn account_for_missed(&mut self, missed: &[(usize, Stored)]) {
        for (message, stored) in missed {
            if self.gaps.iter().any(|gap| gap.covers(stored, &self.index.reused)) {
                self.verdict.missed_with_gap += 1;
                continue;
            }
            let outcome = self.history.publications[*message].outcome;
            let kind =
                if matches!(outcome, Outcome::Acknowledged { .. }) { Kind::Lost } else { Kind::SilentGap };
            let position = self.position;
            self.find(kind, || {
                format!(
                    "message {message} of {} ms at {:?}, {outcome:?}; the subscription reached {position:?}",
                    stored.started_at, stored.place
                )
            });
        }
    }

    fn account_for_gaps(&mut self, missed: &[(usize, Stored)]) {
        for gap in std::mem::take(&mut self.gaps) {
            let is_real = missed.iter().any(|(_, stored)| gap.covers(stored, &self.index.reused))
                || self.may_miss_an_unknown_message(&gap);
            if is_real {
                continue;
            }
            if gap.follows_a_loss(&self.history.risks) {
                self.verdict.unproven_gaps += 1;
                continue;
            }
            let ReportedGap { at, last_seen_at, from, to } = gap;
            self.find(Kind::FalseGap, || {
                format!("at {at} ms from {from:?} to {to:?}, after an event at {last_seen_at} ms")
            });
        }
    }

    /// Returns whether a message without an acknowledgement, which nobody received, may lie in the gap.
    fn may_miss_an_unknown_message(&self, gap: &ReportedGap) -> bool {
        let messages = self.index.unknown.get(self.subscription.channel).into_iter().flatten();
        messages.into_iter().any(|message| self.history.publications[*message].started_at <= gap.at)
    }

    fn find(&mut self, kind: Kind, details: impl FnOnce() -> String) {
        let Subscription { subscriber, channel, .. } = self.subscription;
        let name = self.history.channels.get(*channel).map_or("", |name| name.as_str());
        self.verdict.find(kind, || format!("subscriber {subscriber}, channel {name}: {}", details()));
    }
}
