//! Single situations of a follower. The simulated cluster in `tests/` covers their combinations.

use super::*;
use crate::{hub::HubLimits, hub::Replay};
use sealwire_protocol::wire::Position;

const CHANNEL: ChannelId = ChannelId([1; 16]);
const OTHER: ChannelId = ChannelId([2; 16]);
const EPOCH: u64 = 77;

/// A stream and one follower of it. The answers of the leader are given at once.
struct Bench {
    follower: Follower,
    hub: Hub,
    now: Now,
    entries: Vec<Entry>,
    first: u64,
    last: u64,
    leader: Leader,
    answers: Vec<(Ticket, Replay)>,
    delivered: Vec<u64>,
    ended: Vec<ChannelId>,
    relinks: usize,
    proven: Vec<u64>,
    reads: Vec<(ChannelId, u64)>,
    /// False while answers of the leader are kept.
    answers_at_once: bool,
    kept: Vec<FollowerAction>,
}

impl Bench {
    fn new() -> Self {
        let limits = HubLimits { replay_window: Duration::from_secs(120), replay_bytes: 1 << 20 };
        let now = Now { monotonic: Instant::now() + Duration::from_secs(1000), wall: UnixMillis(1_000_000) };
        Self {
            follower: Follower::default(),
            hub: Hub::new(0, limits, now),
            now,
            entries: Vec::new(),
            first: 1,
            last: 0,
            leader: Leader { server: "n1".to_owned(), since: "t1".to_owned() },
            answers: Vec::new(),
            delivered: Vec::new(),
            ended: Vec::new(),
            relinks: 0,
            proven: Vec::new(),
            reads: Vec::new(),
            answers_at_once: true,
            kept: Vec::new(),
        }
    }

    /// A follower that follows a stream with one mark.
    fn following() -> Self {
        let mut bench = Self::new();
        bench.store_mark();
        bench.link();
        assert!(bench.follower.is_following(bench.now.monotonic));
        bench
    }

    fn link(&mut self) {
        self.follower.linked(self.leader.clone(), self.now);
        self.run();
    }

    /// Another leader takes over, and the driver links again.
    fn elect(&mut self) {
        self.leader.since.push('+');
        self.follower.unlinked();
        self.link();
    }

    fn store(&mut self, entry: impl FnOnce(u64, UnixMillis) -> Entry) -> Entry {
        self.now.wall.0 += 1;
        self.last += 1;
        self.entries.push(entry(self.last, self.now.wall));
        self.entries.last().unwrap().clone()
    }

    fn store_mark(&mut self) -> Entry {
        self.store(|sequence, time| Entry::Mark(Mark { sequence, epoch: EPOCH, time }))
    }

    fn store_publication(&mut self, channel: ChannelId) -> Entry {
        self.store(|sequence, time| {
            Entry::Publication(StoredPublication {
                sequence,
                channel,
                time,
                stored_at: time,
                event: String::new(),
                sealed: vec![0; 8].into(),
            })
        })
    }

    /// The sequence before an entry on its subject.
    fn previous(&self, entry: &Entry) -> u64 {
        let is_same = |other: &&Entry| match (other, entry) {
            (Entry::Mark(_), Entry::Mark(_)) => true,
            (Entry::Publication(other), Entry::Publication(one)) => other.channel == one.channel,
            _ => false,
        };
        let before = |other: &&Entry| (self.first..entry.sequence()).contains(&other.sequence());
        self.entries.iter().filter(is_same).filter(before).last().map_or(0, Entry::sequence)
    }

    fn arrive(&mut self, entry: Entry) {
        let previous = self.previous(&entry);
        match entry {
            Entry::Publication(publication) => {
                self.follower.publication_arrived(&mut self.hub, publication, previous, self.now);
            }
            Entry::Mark(mark) => self.follower.mark_arrived(&mut self.hub, mark, previous),
            Entry::Unknown(_) => {}
        }
        self.run();
    }

    fn publish(&mut self, channel: ChannelId) -> u64 {
        let entry = self.store_publication(channel);
        let sequence = entry.sequence();
        self.arrive(entry);
        sequence
    }

    fn mark(&mut self) -> Position {
        let entry = self.store_mark();
        self.arrive(entry);
        Position { epoch: EPOCH, offset: self.last, time_ms: self.now.wall.0 }
    }

    fn subscribe(&mut self, ticket: Ticket, channel: ChannelId, since: Option<Since>) {
        self.follower.subscribe(&mut self.hub, ticket, Tenant::default(), channel, since, self.now);
        self.run();
    }

    /// The answer to a subscription: its position, whether it is recovered, and the offsets of its publications.
    fn answer(&mut self, ticket: Ticket) -> Option<(Position, bool, Vec<u64>)> {
        let index = self.answers.iter().position(|(other, _)| *other == ticket)?;
        let (_, replay) = self.answers.remove(index);
        let offsets = replay.publications.iter().map(|publication| publication.offset()).collect();
        Some((replay.position, replay.recovered, offsets))
    }

    fn subscribed(&mut self, channel: ChannelId, since: Option<Since>) -> (Position, bool, Vec<u64>) {
        self.subscribe(900, channel, since);
        self.answer(900).expect("the subscription is answered")
    }

    fn info(&self) -> StreamInfo {
        StreamInfo {
            leader: self.leader.clone(),
            first: self.first,
            last: self.last,
            first_at: UnixMillis(self.now.wall.0.saturating_sub(125_000)),
            deleted: 0,
            now: self.now.wall,
        }
    }

    fn present(&self, from: u64) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.sequence() >= from.max(self.first))
    }

    fn run(&mut self) {
        while let Some(action) = self.follower.poll_action() {
            match self.answers_at_once {
                true => self.perform(action),
                false => self.kept.push(action),
            }
        }
    }

    fn perform_kept(&mut self) {
        self.answers_at_once = true;
        for action in std::mem::take(&mut self.kept) {
            self.perform(action);
        }
        self.run();
    }

    fn perform(&mut self, action: FollowerAction) {
        let (info, now) = (self.info(), self.now);
        match action {
            FollowerAction::FindMark(request) => {
                let mark = self.present(0).filter_map(|entry| match entry {
                    Entry::Mark(mark) => Some(*mark),
                    _ => None,
                });
                let mark = mark.last();
                self.follower.mark_found(&mut self.hub, request, mark, now);
            }
            FollowerAction::CreateMark(request) => {
                let Entry::Mark(mark) = self.store_mark() else { unreachable!() };
                self.follower.mark_found(&mut self.hub, request, Some(mark), now);
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
                self.follower.info_received(request, &info, now);
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
            FollowerAction::Watch(_) | FollowerAction::Unwatch(_) => {}
        }
        self.run();
    }
}

#[test]
fn the_first_relay_writes_the_first_mark() {
    let mut bench = Bench::new();
    bench.link();
    assert_eq!((bench.last, bench.proven.clone()), (1, vec![1]));
    assert!(bench.follower.is_following(bench.now.monotonic));
}

#[test]
fn a_subscription_waits_for_the_stream_and_starts_at_the_newest_mark() {
    let mut bench = Bench::new();
    bench.subscribe(1, CHANNEL, None);
    assert_eq!(bench.answer(1), None);
    bench.link();
    let (position, recovered, publications) = bench.answer(1).unwrap();
    assert_eq!((position.epoch, position.offset, recovered, publications), (EPOCH, 1, false, vec![]));
}

#[test]
fn one_read_serves_all_subscriptions_of_a_channel() {
    let mut bench = Bench::following();
    for _ in 0..3 {
        bench.store_publication(CHANNEL);
    }
    bench.answers_at_once = false;
    for ticket in 0..100 {
        bench.subscribe(ticket, CHANNEL, Some(Since::ReplaySeconds(60)));
    }
    bench.perform_kept();
    assert_eq!(bench.reads, [(CHANNEL, 1)]);
    for ticket in 0..100 {
        assert_eq!(bench.answer(ticket).unwrap().2, [2, 3, 4]);
    }
    // The channel is followed now, so another subscription needs no read.
    assert_eq!(bench.subscribed(CHANNEL, Some(Since::ReplaySeconds(60))).2, [2, 3, 4]);
    assert_eq!(bench.reads.len(), 1);
}

#[test]
fn publications_that_arrive_during_a_join_follow_the_read_ones() {
    let mut bench = Bench::following();
    bench.store_publication(CHANNEL);
    bench.answers_at_once = false;
    bench.subscribe(1, CHANNEL, Some(Since::ReplaySeconds(60)));
    let third = bench.store_publication(CHANNEL);
    bench.arrive(third);
    bench.perform_kept();
    assert_eq!(bench.answer(1).unwrap().2, [2, 3]);
    assert_eq!(bench.publish(CHANNEL), 4);
    assert_eq!(bench.delivered, [4]);
}

#[test]
fn a_hole_is_read_before_anything_behind_it_is_delivered() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.store_publication(CHANNEL);
    let behind = bench.publish(CHANNEL);
    assert_eq!((behind, bench.delivered.clone()), (3, vec![2, 3]));
    let counts = bench.follower.counts();
    assert_eq!((counts.holes, counts.mended, counts.read_back), (1, 1, 2));
}

#[test]
fn a_hole_that_the_stream_discarded_ends_the_subscriptions_of_the_channel() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.subscribed(OTHER, None);
    bench.store_publication(CHANNEL);
    bench.store_publication(CHANNEL);
    bench.answers_at_once = false;
    let behind = bench.store_publication(CHANNEL);
    bench.arrive(behind);
    bench.first = 3;
    bench.perform_kept();
    assert_eq!((bench.ended.clone(), bench.delivered.clone()), (vec![CHANNEL], vec![]));
}

#[test]
fn a_mark_proves_silent_channels_on_any_relay() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    let mark = bench.mark();
    assert_eq!(bench.proven, [1, mark.offset]);
    // A client that has this mark as its position, from another relay, misses nothing.
    let answer = bench.subscribed(CHANNEL, Some(Since::Position(mark)));
    assert_eq!(answer, (mark, true, vec![]));
    let offset = bench.publish(CHANNEL);
    assert_eq!(bench.subscribed(CHANNEL, Some(Since::Position(mark))), (mark, true, vec![offset]));
}

#[test]
fn a_position_that_the_relay_has_not_seen_is_compared_with_the_stream() {
    let mut bench = Bench::following();
    let of_other = bench.store_publication(OTHER);
    let position = Position { epoch: EPOCH, offset: 2, time_ms: of_other.time().unwrap().0 };
    assert_eq!(bench.subscribed(CHANNEL, Some(Since::Position(position))), (position, true, vec![]));
    for wrong in [
        Position { time_ms: position.time_ms + 1, ..position },
        Position { offset: 9, ..position },
        Position { epoch: EPOCH + 1, ..position },
        Position { time_ms: 0, ..position },
    ] {
        let (_, recovered, _) = bench.subscribed(CHANNEL, Some(Since::Position(wrong)));
        assert!(!recovered, "{wrong:?}");
    }
}

#[test]
fn a_position_before_the_oldest_message_is_not_recovered() {
    let mut bench = Bench::following();
    let mark = bench.mark();
    bench.store_publication(CHANNEL);
    bench.store_publication(OTHER);
    bench.first = 4;
    let (_, recovered, _) = bench.subscribed(CHANNEL, Some(Since::Position(mark)));
    assert!(!recovered);
}

#[test]
fn publications_that_died_with_a_leader_are_read_after_the_election() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.store_publication(CHANNEL);
    bench.elect();
    assert_eq!(bench.delivered, [2]);
    assert_eq!(bench.follower.counts().elections, 1);
    let mark = bench.mark();
    assert_eq!(bench.proven.last(), Some(&mark.offset));
}

#[test]
fn an_election_that_a_mark_survived_is_noticed_by_the_term() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.store_publication(CHANNEL);
    // The follower still believes in the term before.
    bench.leader.since.push('+');
    bench.mark();
    assert_eq!((bench.relinks, bench.delivered.clone()), (1, vec![2]));
}

#[test]
fn a_hole_between_marks_is_read_back() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.store_publication(CHANNEL);
    bench.store_mark();
    bench.mark();
    assert_eq!(bench.delivered, [2]);
    assert_eq!(bench.proven.last(), Some(&4));
}

#[test]
fn replaced_contents_end_every_subscription() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    let position = bench.mark();
    bench.entries.clear();
    bench.last = 0;
    bench.elect();
    assert_eq!(bench.ended, [CHANNEL]);
    let (_, recovered, _) = bench.subscribed(CHANNEL, Some(Since::Position(position)));
    assert!(!recovered);
}

#[test]
fn sequences_that_were_used_twice_end_every_subscription() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.publish(CHANNEL);
    // A majority was lost together with the publication, and another one took its sequence.
    bench.entries.pop();
    bench.last -= 1;
    bench.store_publication(CHANNEL);
    bench.elect();
    assert_eq!(bench.ended, [CHANNEL]);
}

#[test]
fn a_position_in_lost_contents_is_answered_without_what_the_client_may_have() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    let first = bench.publish(CHANNEL);
    let lost = Position { epoch: EPOCH, offset: first + 1, time_ms: bench.now.wall.0 + 100 };
    // Another message has the sequence of the lost one.
    bench.publish(CHANNEL);
    let second = bench.publish(CHANNEL);
    let (position, recovered, offsets) = bench.subscribed(CHANNEL, Some(Since::Position(lost)));
    assert_eq!((position.offset, recovered, offsets), (first + 1, false, vec![second]));
    // The client's contents went further than the present ones.
    let further = Position { offset: second + 9, ..lost };
    let (position, recovered, offsets) = bench.subscribed(CHANNEL, Some(Since::Position(further)));
    assert_eq!((position.offset, recovered, offsets), (second, false, vec![]));
}

#[test]
fn an_answer_of_a_replica_that_lags_behind_is_not_taken() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.store_publication(CHANNEL);
    bench.store_publication(CHANNEL);
    bench.follower.unlinked();
    bench.answers_at_once = false;
    bench.follower.linked(bench.leader.clone(), bench.now);
    bench.run();
    let Some(FollowerAction::ReadStream { request, .. }) = bench.kept.pop() else { panic!("no read") };
    let (entries, info) = (bench.entries[..2].to_vec(), bench.info());
    bench.follower.stream_read(&mut bench.hub, request, entries, &info, bench.now);
    bench.run();
    assert!(bench.delivered.is_empty());
    bench.perform_kept();
    assert_eq!(bench.delivered, [2, 3]);
}

#[test]
fn a_channel_without_subscriptions_is_left_after_a_while() {
    let mut bench = Bench::following();
    bench.subscribed(CHANNEL, None);
    bench.follower.unsubscribe(CHANNEL, bench.now);
    bench.now.monotonic += LINGER - Duration::from_millis(1);
    bench.proven_now();
    bench.follower.tick(&mut bench.hub, bench.now);
    assert_eq!(bench.follower.channels().count(), 1);
    bench.now.monotonic += Duration::from_millis(1);
    bench.follower.tick(&mut bench.hub, bench.now);
    assert_eq!(bench.follower.channels().count(), 0);
    assert!(matches!(bench.follower.poll_action(), Some(FollowerAction::Unwatch(CHANNEL))));
    // What the hub still has is not read again.
    bench.publish(CHANNEL);
    bench.reads.clear();
    assert_eq!(bench.subscribed(CHANNEL, Some(Since::ReplaySeconds(60))).2, [2]);
    assert_eq!(bench.reads, [(CHANNEL, 1)]);
}

#[test]
fn a_cancelled_subscription_is_not_answered() {
    let mut bench = Bench::new();
    bench.subscribe(1, CHANNEL, None);
    bench.follower.cancel(1, CHANNEL, bench.now);
    bench.link();
    assert_eq!(bench.answer(1), None);
    assert!(bench.reads.is_empty());
}

#[test]
fn without_a_mark_for_seconds_the_leader_is_looked_for() {
    let mut bench = Bench::following();
    bench.now.monotonic += STALE + Duration::from_millis(1);
    bench.follower.tick(&mut bench.hub, bench.now);
    bench.run();
    assert_eq!(bench.relinks, 1);
}

impl Bench {
    fn proven_now(&mut self) {
        self.follower.proven_at = Some(self.now.monotonic);
    }
}
