//! A stream and one follower of it, in virtual time.

use super::super::*;
use crate::hub::{HubLimits, Replay};
use sealwire_protocol::wire::Position;

pub(super) const CHANNEL: ChannelId = ChannelId([1; 16]);
pub(super) const OTHER: ChannelId = ChannelId([2; 16]);
pub(super) const EPOCH: u64 = 77;

/// A stream and one follower of it. The answers of the leader are given at once.
pub(super) struct Bench {
    pub(super) follower: Follower,
    pub(super) hub: Hub,
    pub(super) now: Now,
    /// False while the leader has no majority.
    pub(super) stores: bool,
    /// The epoch of the marks that relays write.
    pub(super) epoch: u64,
    pub(super) entries: Vec<Entry>,
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) leader: Leader,
    pub(super) answers: Vec<(Ticket, Replay)>,
    pub(super) delivered: Vec<u64>,
    pub(super) ended: Vec<ChannelId>,
    pub(super) relinks: usize,
    pub(super) hastened: usize,
    pub(super) resets: Vec<ResetReason>,
    pub(super) proven: Vec<u64>,
    pub(super) reads: Vec<(ChannelId, u64)>,
    /// False while answers of the leader are kept.
    pub(super) answers_at_once: bool,
    pub(super) kept: Vec<FollowerAction>,
}

impl Bench {
    pub(super) fn new() -> Self {
        let limits = HubLimits { replay_window: Duration::from_secs(120), replay_bytes: 1 << 20 };
        let now = Now { monotonic: Instant::now() + Duration::from_secs(1000), wall: UnixMillis(1_000_000) };
        Self {
            follower: Follower::default(),
            hub: Hub::new(0, limits, now),
            now,
            stores: true,
            epoch: EPOCH,
            entries: Vec::new(),
            first: 1,
            last: 0,
            leader: Leader { server: "n1".to_owned(), since: "t1".to_owned() },
            answers: Vec::new(),
            delivered: Vec::new(),
            ended: Vec::new(),
            relinks: 0,
            hastened: 0,
            resets: Vec::new(),
            proven: Vec::new(),
            reads: Vec::new(),
            answers_at_once: true,
            kept: Vec::new(),
        }
    }

    /// A follower that follows a stream with one mark.
    pub(super) fn following() -> Self {
        let mut bench = Self::new();
        bench.store_mark();
        bench.link();
        assert!(bench.follower.is_following(bench.now.monotonic));
        bench
    }

    pub(super) fn link(&mut self) {
        self.follower.linked(self.leader.clone(), self.now);
        self.run();
    }

    /// Another leader takes over, and the driver links again.
    pub(super) fn elect(&mut self) {
        self.leader.since.push('+');
        self.follower.unlinked();
        self.link();
    }

    pub(super) fn store(&mut self, entry: impl FnOnce(u64, UnixMillis) -> Entry) -> Entry {
        self.now.wall.0 += 1;
        self.last += 1;
        self.entries.push(entry(self.last, self.now.wall));
        self.entries.last().unwrap().clone()
    }

    pub(super) fn store_mark(&mut self) -> Entry {
        let epoch = self.epoch;
        self.store(|sequence, time| Entry::Mark(Mark { sequence, epoch, time }))
    }

    pub(super) fn store_publication(&mut self, channel: ChannelId) -> Entry {
        self.store(|sequence, time| {
            Entry::Publication(StoredPublication {
                sequence,
                channel,
                time,
                stored_at: time,
                event: String::new(),
                sealed: vec![0; 8].into(),
                content: None,
                trace: None,
            })
        })
    }

    /// The sequence before an entry on its subject.
    pub(super) fn previous(&self, entry: &Entry) -> u64 {
        let is_same = |other: &&Entry| match (other, entry) {
            (Entry::Mark(_), Entry::Mark(_)) => true,
            (Entry::Publication(other), Entry::Publication(one)) => other.channel == one.channel,
            _ => false,
        };
        let before = |other: &&Entry| (self.first..entry.sequence()).contains(&other.sequence());
        self.entries.iter().filter(is_same).filter(before).last().map_or(0, Entry::sequence)
    }

    pub(super) fn arrive(&mut self, entry: Entry) {
        let previous = self.previous(&entry);
        match entry {
            Entry::Publication(publication) => {
                self.follower.publication_arrived(&mut self.hub, publication, previous, self.now);
            }
            Entry::Mark(mark) => self.follower.mark_arrived(mark, previous),
            Entry::Unknown(_) => {}
        }
        self.run();
    }

    pub(super) fn publish(&mut self, channel: ChannelId) -> u64 {
        let entry = self.store_publication(channel);
        let sequence = entry.sequence();
        self.arrive(entry);
        sequence
    }

    pub(super) fn mark(&mut self) -> Position {
        let entry = self.store_mark();
        self.arrive(entry);
        Position { epoch: self.epoch, offset: self.last, time_ms: self.now.wall.0 }
    }

    pub(super) fn subscribe(&mut self, ticket: Ticket, channel: ChannelId, since: Option<Since>) {
        self.follower.subscribe(&mut self.hub, ticket, Tenant::default(), channel, since, self.now);
        self.run();
    }

    /// The answer to a subscription: its position, whether it is recovered, and the offsets of its publications.
    pub(super) fn answer(&mut self, ticket: Ticket) -> Option<(Position, bool, Vec<u64>)> {
        let index = self.answers.iter().position(|(other, _)| *other == ticket)?;
        let (_, replay) = self.answers.remove(index);
        let offsets = replay.publications.iter().map(|publication| publication.offset()).collect();
        Some((replay.position, replay.recovered, offsets))
    }

    pub(super) fn subscribed(
        &mut self,
        channel: ChannelId,
        since: Option<Since>,
    ) -> (Position, bool, Vec<u64>) {
        self.subscribe(900, channel, since);
        self.answer(900).expect("the subscription is answered")
    }

    /// Subscribes from a position that the leader does not have. The answer waits for two marks, each requested at once.
    pub(super) fn denied(&mut self, channel: ChannelId, position: Position) -> (Position, bool, Vec<u64>) {
        self.subscribe(901, channel, Some(Since::Position(position)));
        for _ in 0..2 {
            assert!(self.answer(901).is_none(), "a leader without a majority may lack the position");
            assert_eq!(std::mem::take(&mut self.hastened), 1);
            self.mark();
        }
        self.answer(901).expect("the subscription is answered")
    }

    pub(super) fn info(&self) -> StreamInfo {
        StreamInfo {
            leader: self.leader.clone(),
            first: self.first,
            last: self.last,
            first_at: UnixMillis(self.now.wall.0.saturating_sub(125_000)),
            deleted: 0,
            now: self.now.wall,
        }
    }

    pub(super) fn present(&self, from: u64) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.sequence() >= from.max(self.first))
    }

    /// The marks of the newest epoch.
    pub(super) fn marks(&self) -> Option<EpochMarks> {
        let marks = self.present(0).filter_map(|entry| match entry {
            Entry::Mark(mark) => Some(*mark),
            _ => None,
        });
        let marks: Vec<Mark> = marks.collect();
        let newest = *marks.last()?;
        let oldest = *marks.iter().find(|mark| mark.epoch == newest.epoch)?;
        Some(EpochMarks { oldest, newest })
    }

    pub(super) fn run(&mut self) {
        while let Some(action) = self.follower.poll_action() {
            match self.answers_at_once {
                true => self.perform(action),
                false => self.kept.push(action),
            }
        }
    }

    pub(super) fn perform_kept(&mut self) {
        self.answers_at_once = true;
        for action in std::mem::take(&mut self.kept) {
            self.perform(action);
        }
        self.run();
    }

    pub(super) fn perform(&mut self, action: FollowerAction) {
        let (info, now) = (self.info(), self.now);
        match action {
            FollowerAction::FindMarks(request) => {
                let marks = self.marks();
                self.follower.marks_found(&mut self.hub, request, marks, now);
            }
            FollowerAction::RenewMark { .. } if !self.stores => {}
            FollowerAction::RenewMark { request, replaces } => {
                let epoch = self.marks().map(|marks| marks.newest.epoch);
                let epoch = epoch.filter(|epoch| Some(*epoch) != replaces);
                self.epoch = epoch.unwrap_or(self.epoch + 1);
                self.store_mark();
                let marks = self.marks();
                self.follower.marks_found(&mut self.hub, request, marks, now);
            }
            FollowerAction::ReadStream { request, from } => {
                let entries = self.present(from).cloned().collect();
                self.follower.stream_read(&mut self.hub, request, entries, &info, now);
            }
            FollowerAction::ReadChannel { request, channel, from } => {
                self.reads.push((channel, from));
                let publications = self.present(from).filter_map(|entry| match entry {
                    Entry::Publication(publication) if publication.channel == channel => {
                        Some(publication.clone())
                    }
                    _ => None,
                });
                let publications = publications.collect();
                self.follower.channel_read(&mut self.hub, request, channel, publications, &info, now);
            }
            FollowerAction::ReadMessage { request, sequence } => {
                let entry = self.present(sequence).next().filter(|entry| entry.sequence() == sequence);
                let time = entry.and_then(Entry::time);
                self.follower.message_read(&self.hub, request, sequence, time);
            }
            FollowerAction::ReadInfo(request) => {
                self.follower.info_received(&self.hub, request, &info, now);
            }
            FollowerAction::Deliver(_, publication) => self.delivered.push(publication.offset()),
            FollowerAction::Answer(ticket, replay) => self.answers.push((ticket, replay)),
            FollowerAction::End(channels) => self.ended.extend(channels),
            FollowerAction::Proven(mark) => self.proven.push(mark.sequence),
            FollowerAction::Relink(_) => {
                self.relinks += 1;
                self.follower.unlinked();
                self.link();
            }
            FollowerAction::HastenMark => self.hastened += 1,
            FollowerAction::Reset(reason) => self.resets.push(reason),
            FollowerAction::Watch(_) | FollowerAction::Unwatch(_) => {}
        }
        self.run();
    }
}

impl Bench {
    pub(super) fn proven_now(&mut self) {
        self.follower.renewed_at = Some(self.now.monotonic);
    }
}
