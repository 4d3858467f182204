//! The promises to an app, checked with every word that it is told: each subscription gets what was published after it
//! joined, once and in order, or is told of a gap that covers what is missing; each call ends once.

use super::{
    channels::CHANNELS,
    history::{Epoch, History},
};
use sealwire_client::{ClientError, Gap, GapReason, Notice, PublishId, Receipt, SubscriptionId};
use sealwire_protocol::{ChannelId, wire::Position};
use std::collections::{BTreeMap, BTreeSet};

/// A place in the history: the number of the epoch, and the offset.
type Place = (usize, u64);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Stage {
    Waiting,
    Live,
    /// `unsubscribe` was called.
    Leaving,
    Over,
}

pub(super) struct Track {
    pub(super) channel: usize,
    pub(super) stage: Stage,
    replay_seconds: Option<u32>,
    /// When its token ends, where it has one without a function.
    ends: Option<u64>,
    /// Until when its call waits, where it has a limit.
    gives_up_at: Option<u64>,
    /// Everything up to here is accounted for.
    due: Place,
    /// The last place that the app was told of.
    told: Option<Place>,
    joined_at: u64,
    /// Messages that could not be opened since.
    unreadable: usize,
    /// The previous relay took something that was asked for: a gap must be told.
    owed_gap: bool,
}

impl Track {
    /// From which offset on everything is due. Where the relay's clock jumped, a client that joined a replay asked for by
    /// others may leave out too much, for as long as replays take by its own clock.
    fn due_in(&self, epoch: &Epoch, relay_clock: RelayClock) -> u64 {
        match relay_clock {
            RelayClock::True => self.due.1,
            RelayClock::Jumped { stood_ms } => {
                self.due.1.max(epoch.before(self.joined_at + REPLAY_MS + stood_ms))
            }
        }
    }
}

pub(super) struct Published {
    pub(super) channel: usize,
    pub(super) number: u64,
    pub(super) padding: usize,
    gives_up_at: u64,
    has_id: bool,
    withdrawn: bool,
    ended: bool,
    pub(super) acknowledged: bool,
}

impl Published {
    /// `message` is the channel, the number and its padding.
    pub(super) fn new(message: (usize, u64, usize), gives_up_at: u64, has_id: bool) -> Self {
        let (channel, number, padding) = message;
        let (withdrawn, ended, acknowledged) = (false, false, false);
        Self { channel, number, padding, gives_up_at, has_id, withdrawn, ended, acknowledged }
    }
}

/// The relay's clock, as far as a client may rely on it.
#[derive(Clone, Copy)]
enum RelayClock {
    True,
    /// The clients' own clocks stood still for `stood_ms` in all.
    Jumped {
        stood_ms: u64,
    },
}

/// How long a client believes that a replay may last, and a little more.
const REPLAY_MS: u64 = 10_000;

/// How much sooner than by its token a subscription may end.
const EARLY_MS: u64 = 100;

type Outcome = Result<(), String>;

pub(super) struct Model {
    pub(super) history: History,
    ids: [ChannelId; CHANNELS],
    pub(super) tracks: BTreeMap<(usize, SubscriptionId), Track>,
    publishes: BTreeMap<(usize, PublishId), Published>,
    /// Numbers of which a client said that they were not sent.
    unsent: BTreeSet<u64>,
    /// Where each number was seen.
    numbers: BTreeMap<Place, u64>,
    /// The newest acknowledged number of each client and channel.
    acknowledged: BTreeMap<(usize, usize, usize), (u64, u64)>,
    /// Subscriptions may end for it: a token could not be had, or the relay's clock ran wild.
    pub(super) may_end: bool,
    /// Messages may be unreadable for it: the app failed to provide a session or a token.
    pub(super) may_be_unreadable: bool,
    /// All is well, and a publish that fails has no reason to.
    pub(super) must_publish: bool,
    pub(super) relay_clock_jumped: bool,
    /// For how long clients' own clocks stood still, all together.
    pub(super) stood_ms: u64,
    pub(super) delivered: usize,
    pub(super) gaps: usize,
}

impl Model {
    pub(super) fn new(history: History) -> Self {
        Self {
            history,
            ids: super::channels::ids(),
            tracks: BTreeMap::new(),
            publishes: BTreeMap::new(),
            unsent: BTreeSet::new(),
            numbers: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
            may_end: false,
            may_be_unreadable: false,
            must_publish: false,
            relay_clock_jumped: false,
            stood_ms: 0,
            delivered: 0,
            gaps: 0,
        }
    }

    pub(super) fn subscribes(
        &mut self,
        client: usize,
        id: SubscriptionId,
        channel: usize,
        replay: Option<u32>,
        ends: Option<u64>,
        gives_up_at: Option<u64>,
    ) {
        let track = Track {
            gives_up_at,
            channel,
            stage: Stage::Waiting,
            replay_seconds: replay,
            ends,
            due: (0, 0),
            told: None,
            joined_at: 0,
            unreadable: 0,
            owed_gap: false,
        };
        self.tracks.insert((client, id), track);
    }

    pub(super) fn unsubscribes(&mut self, client: usize, id: SubscriptionId) {
        if let Some(track) = self.tracks.get_mut(&(client, id)) {
            track.stage = Stage::Leaving;
        }
    }

    pub(super) fn publishes(&mut self, client: usize, id: PublishId, published: Published) {
        self.publishes.insert((client, id), published);
    }

    pub(super) fn withdraws(&mut self, client: usize, id: PublishId) {
        if let Some(published) = self.publishes.get_mut(&(client, id)) {
            published.withdrawn = true;
        }
    }

    /// The publications of a client whose calls have not ended.
    pub(super) fn waiting(&self, client: usize) -> Vec<PublishId> {
        let waits = |(key, published): (&(usize, PublishId), &Published)| {
            (key.0 == client && !published.ended).then_some(key.1)
        };
        self.publishes.iter().filter_map(waits).collect()
    }

    /// A message of a client that has an id of its own.
    pub(super) fn with_id(&self, client: usize) -> Option<&Published> {
        let mine = self.publishes.range((client, PublishId(0))..=(client, PublishId(u32::MAX)));
        mine.rev().map(|(_, published)| published).find(|published| published.has_id)
    }

    pub(super) fn published(&self, client: usize, id: PublishId) -> Option<&Published> {
        self.publishes.get(&(client, id))
    }

    pub(super) fn subscribe_done(
        &mut self,
        client: usize,
        id: SubscriptionId,
        result: Result<(), ClientError>,
        now: u64,
    ) -> Outcome {
        let Some(track) = self.tracks.get_mut(&(client, id)) else {
            return Err("an unknown subscription".into());
        };
        if track.stage == Stage::Leaving && result.is_err() {
            return Ok(());
        }
        if track.stage != Stage::Waiting {
            return Err(format!("a subscription was answered while {:?}", track.stage));
        }
        if let Err(error) = result {
            track.stage = Stage::Over;
            let waits = track.gives_up_at.is_none_or(|at| now < at);
            return if waits && is_unreachable(&error) {
                Err(format!("a subscribe gave up before its limit: {error}"))
            } else {
                Ok(())
            };
        }
        track.stage = Stage::Live;
        let (index, epoch) = self.history.current();
        track.due = (index, epoch.head());
        track.joined_at = now;
        if let Some(seconds) = track.replay_seconds {
            let start = now.saturating_sub(u64::from(seconds) * 1000);
            track.due = (index, epoch.before(start));
            let channel = self.ids[track.channel];
            track.owed_gap = self.history.epochs[..index].iter().any(|epoch| epoch.has_since(channel, start));
        }
        Ok(())
    }

    pub(super) fn unsubscribe_done(&mut self, client: usize, id: SubscriptionId) -> Outcome {
        match self.tracks.get_mut(&(client, id)) {
            Some(track) if track.stage == Stage::Leaving => {
                track.stage = Stage::Over;
                Ok(())
            }
            _ => Err("an unsubscribe ended that nobody had called".into()),
        }
    }

    pub(super) fn publish_done(
        &mut self,
        client: usize,
        id: PublishId,
        result: Result<Receipt, ClientError>,
        now: u64,
    ) -> Outcome {
        let published = self.publishes.get_mut(&(client, id)).filter(|published| !published.ended);
        let Some(published) = published else { return Err("a publish ended twice".into()) };
        published.ended = true;
        let (channel, number) = (published.channel, published.number);
        let receipt = match result {
            Ok(receipt) => receipt,
            Err(error) => {
                if self.must_publish {
                    return Err(format!("a publish failed in calm weather: {error}"));
                }
                if is_unreachable(&error) && !published.withdrawn && now < published.gives_up_at {
                    return Err(format!("a publish gave up before its limit: {error}"));
                }
                // Another call may have published the same message.
                if error.may_have_arrived == Some(false) && !published.has_id {
                    self.unsent.insert(number);
                }
                return Ok(());
            }
        };
        published.acknowledged = true;
        let has_id = published.has_id;
        let place = self.place(receipt.position, channel)?;
        self.note_number(place, number)?;
        // A message with an id of its own may have been published before, by another call.
        if has_id || self.history.epochs[place.0].is_repeat(place.1) {
            return Ok(());
        }
        let newest = self.acknowledged.entry((client, channel, place.0)).or_default();
        // What a relay refused for its clock, with a refusal that got lost, may be taken when it is sent again.
        if (place.1 > newest.1) != (number > newest.0) && !self.relay_clock_jumped {
            return Err(format!("number {number} of one caller was taken out of order"));
        }
        *newest = (number.max(newest.0), place.1.max(newest.1));
        Ok(())
    }

    pub(super) fn message(
        &mut self,
        client: usize,
        id: SubscriptionId,
        position: Position,
        number: u64,
    ) -> Outcome {
        let channel = self.live(client, id)?.channel;
        let place = self.place(position, channel)?;
        self.note_number(place, number)?;
        self.delivered += 1;
        let epoch = &self.history.epochs[place.0];
        let relay_clock = self.relay_clock();
        let track = self.tracks.get_mut(&(client, id)).expect("looked up before");
        if track.told.is_some_and(|told| place <= told) {
            return Err(format!("{place:?} came after {:?}", track.told));
        }
        track.told = Some(place);
        if place.0 > track.due.0 {
            return Err(format!("{place:?} came after {:?} without a gap between epochs", track.due));
        }
        if place.0 == track.due.0 && place.1 > track.due.1 {
            let since = track.due_in(epoch, relay_clock);
            let missing = epoch.between(self.ids[channel], since, place.1);
            if missing > track.unreadable {
                return Err(format!(
                    "{missing} between {:?} and {place:?} went missing in silence",
                    track.due
                ));
            }
            track.due = place;
            track.unreadable = 0;
        }
        Ok(())
    }

    pub(super) fn notice(&mut self, client: usize, id: SubscriptionId, notice: &Notice, now: u64) -> Outcome {
        self.live(client, id)?;
        match notice {
            Notice::Gap(gap) => self.gap(client, id, *gap, now),
            Notice::Error(error) => {
                let track = self.tracks.get_mut(&(client, id)).expect("looked up before");
                // Where the relay's clock was set, it may refuse every token, and what waits for a key ends unread.
                if !self.may_be_unreadable && track.ends.is_none() && !self.relay_clock_jumped {
                    return Err(format!("unreadable without a reason: {error}"));
                }
                track.unreadable += 1;
                Ok(())
            }
            Notice::Ended(error) => {
                let track = self.tracks.get_mut(&(client, id)).expect("looked up before");
                // A client knows the relay's time to within what `Welcome` takes to arrive.
                let is_due = track.ends.is_some_and(|ends| now + EARLY_MS >= ends);
                let has_failed = self.may_end && track.ends.is_none();
                if !(is_due || has_failed || self.relay_clock_jumped) {
                    return Err(format!("ended without a reason: {error}"));
                }
                track.stage = Stage::Over;
                Ok(())
            }
        }
    }

    fn gap(&mut self, client: usize, id: SubscriptionId, gap: Gap, now: u64) -> Outcome {
        self.gaps += 1;
        let Some(index) = self.history.index(gap.to.epoch) else { return Err("a gap to nowhere".into()) };
        let to = (index, gap.to.offset);
        let is_current = index == self.history.current().0;
        let epoch = &self.history.epochs[index];
        let relay_clock = self.relay_clock();
        let track = self.tracks.get_mut(&(client, id)).expect("looked up before");
        let channel = self.ids[track.channel];
        match (gap.reason, gap.from) {
            (GapReason::Skipped, _) => return Err(format!("the relay left something out before {to:?}")),
            (GapReason::Epoch, Some(from)) if from.epoch == gap.to.epoch => {
                return Err("a gap between epochs within one".into());
            }
            (GapReason::Evicted, Some(from)) => {
                let since = track.due_in(epoch, relay_clock);
                let behind = epoch.between(channel, since, from.offset.saturating_add(1));
                if track.due.0 != index || behind > track.unreadable {
                    return Err(format!("a gap from {from:?} leaves out what was due since {:?}", track.due));
                }
                let missing = epoch.between(channel, from.offset, to.1.saturating_add(1));
                if missing > 0 && is_current && self.history.is_certainly_cached(from.offset, now) {
                    return Err(format!("a gap to {to:?} that the relay could have filled"));
                }
            }
            _ => {}
        }
        track.due = track.due.max(to);
        track.told = track.told.max(Some(to));
        track.unreadable = 0;
        track.owed_gap = false;
        Ok(())
    }

    pub(super) fn is_subscribed(&self, client: usize) -> bool {
        self.tracks.iter().any(|((owner, _), track)| *owner == client && track.stage == Stage::Live)
    }

    /// What must hold once all is well again and everything has had its time.
    pub(super) fn check_end(&self) -> Outcome {
        if self.publishes.values().any(|published| !published.ended) {
            return Err("a publish never ended".into());
        }
        let (index, epoch) = self.history.current();
        for ((client, id), track) in &self.tracks {
            let who = format!("subscription {} of client {client}", id.0);
            match track.stage {
                Stage::Waiting => return Err(format!("{who} was never answered")),
                Stage::Leaving => return Err(format!("{who} never ended")),
                Stage::Over => continue,
                Stage::Live => {}
            }
            if track.owed_gap {
                return Err(format!("{who} was not told that its replay was not complete"));
            }
            let since = track.due_in(epoch, self.relay_clock());
            let missing = epoch.between(self.ids[track.channel], since, u64::MAX);
            if track.due.0 != index || missing > track.unreadable {
                return Err(format!("{who} was left in silence at {:?}", track.due));
            }
        }
        Ok(())
    }

    fn relay_clock(&self) -> RelayClock {
        let stood_ms = self.stood_ms;
        if self.relay_clock_jumped { RelayClock::Jumped { stood_ms } } else { RelayClock::True }
    }

    fn live(&self, client: usize, id: SubscriptionId) -> Result<&Track, String> {
        let track = self.tracks.get(&(client, id)).ok_or("a word to an unknown subscription")?;
        if track.stage == Stage::Live {
            Ok(track)
        } else {
            Err(format!("a word to who is {:?}", track.stage))
        }
    }

    fn place(&self, position: Position, channel: usize) -> Result<Place, String> {
        let index = self.history.index(position.epoch).ok_or("a place in an unknown epoch")?;
        if !self.history.epochs[index].is_on(self.ids[channel], position.offset) {
            return Err(format!("there is nothing at {position:?}"));
        }
        Ok((index, position.offset))
    }

    fn note_number(&mut self, place: Place, number: u64) -> Outcome {
        if self.unsent.contains(&number) {
            return Err(format!("{number} is at {place:?}, and its publisher was told that it was not sent"));
        }
        let known = *self.numbers.entry(place).or_insert(number);
        if known == number { Ok(()) } else { Err(format!("{number} is at {place:?}, where {known} was")) }
    }
}

/// No side refused: the wait was over.
fn is_unreachable(error: &ClientError) -> bool {
    matches!(error.code.name(), "UNREACHABLE" | "HEARTBEAT_TIMEOUT" | "SHUTTING_DOWN")
}
