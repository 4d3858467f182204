use super::{
    super::tests::{frame, push_replay},
    *,
};
use crate::{
    hub::{Draft, Publication},
    tenant::Tenant,
};
use sealwire_protocol::{ChannelId, UnixMillis};
use std::{io::IoSlice, sync::Arc};

/// Returns a replay of `count` small publications, with these events in rotation.
fn history(count: u64, events: &[&str]) -> History {
    let publication = |(offset, event): (u64, &&str)| {
        let (channel, tenant, event) = (ChannelId([1; 16]), Tenant::default(), (*event).to_owned());
        let draft =
            Draft { channel, tenant, event, sealed: frame(10), id: [0; 16], content: None, trace: None };
        Arc::new(Publication::new(draft, offset + 1, offset, UnixMillis(1)))
    };
    (0..count).zip(events.iter().cycle()).map(publication).collect()
}

/// Writes the whole queue, and returns the lengths of the written frames.
fn drain(queue: &mut Queue) -> Vec<usize> {
    let mut lengths = Vec::new();
    while !queue.is_empty() {
        queue.expand_replay();
        let mut slices = [IoSlice::new(&[]); 64];
        let count = queue.fill_slices(&mut slices);
        let written: Vec<usize> = slices[..count].iter().map(|slice| slice.len()).collect();
        queue.advance(written.iter().sum());
        lengths.extend(written);
    }
    lengths
}

#[test]
fn a_replay_is_written_in_its_place_however_long_it_is() {
    let mut queue = Queue::new(1 << 20, false);
    queue.push_answer(0, frame(40)).unwrap();
    push_replay(&mut queue, 0, &[50; 1000]);
    queue.push_publication(0, &frame(41)).unwrap();
    push_replay(&mut queue, 0, &[51; 300]);
    queue.push_publication(0, &frame(42)).unwrap();
    // Each replay is one placeholder until it is expanded.
    assert_eq!((queue.frames.iter().count(), queue.bytes()), (5, 40 + 1000 * 50 + 41 + 300 * 51 + 42));
    let expected = [vec![40], vec![50; 1000], vec![41], vec![51; 300], vec![42]].concat();
    assert_eq!(drain(&mut queue), expected);
    assert_eq!((queue.bytes(), queue.replay_bytes, queue.footprint()), (0, 0, 0));
    assert!(queue.unplaced.is_none());
}

#[test]
fn a_short_replay_is_queued_as_its_accepted_frames() {
    let mut queue = Queue::new(1 << 20, false);
    queue.push_replay(0, history(6, &["other", "wanted"]), EventFilter::new(&["wanted".into()]));
    assert_eq!((queue.frames.iter().count(), queue.replay_bytes), (3, queue.bytes));
    assert!(queue.unplaced.is_none() && queue.has_writable_frame());
    assert_eq!(drain(&mut queue).len(), 3);
}

#[test]
fn a_replay_is_expanded_after_earlier_frames_and_by_at_most_a_batch() {
    let mut queue = Queue::new(1 << 20, false);
    queue.push_publication(0, &frame(40)).unwrap();
    push_replay(&mut queue, 0, &[50; 1000]);
    queue.expand_replay();
    assert_eq!(queue.bytes, 40);
    queue.advance(40);
    assert!(!queue.has_writable_frame() && !queue.is_empty());
    queue.expand_replay();
    assert_eq!((queue.bytes, queue.has_writable_frame()), (MAX_FRAMES * 50, true));
    queue.expand_replay();
    assert_eq!(queue.bytes, MAX_FRAMES * 50);
    let mut queue = Queue::new(1 << 20, false);
    push_replay(&mut queue, 0, &[40_000; 10]);
    queue.expand_replay();
    assert_eq!(queue.bytes, 2 * 40_000);
}

#[test]
fn rejected_publications_have_a_cost_and_are_examined_in_pieces() {
    let mut queue = Queue::new(1 << 20, false);
    let wanted = EventFilter::new(&["wanted".into()]);
    queue.push_replay(0, history(10_000, &["other"]), wanted.clone());
    queue.push_replay(0, history(100, &["other", "wanted"]), wanted);
    let mut rounds = 0;
    while !queue.has_writable_frame() {
        let cost = queue.expand_replay();
        assert!((SKIP_COST..=MAX_EXAMINED * SKIP_COST).contains(&cost), "{cost}");
        rounds += 1;
    }
    assert_eq!(rounds, 10_000_usize.div_ceil(MAX_EXAMINED) + 1);
    assert_eq!(drain(&mut queue).len(), 50);
}

#[test]
fn a_session_frame_precedes_a_replay_of_another_session() {
    let mut queue = Queue::new(1 << 20, false);
    queue.push_replay(7, history(100, &[""]), EventFilter::default());
    // The filter rejects all of this replay.
    queue.push_replay(8, history(100, &["a"]), EventFilter::new(&["b".into()]));
    queue.push_publication(7, &frame(90)).unwrap();
    queue.push_publication(0, &frame(91)).unwrap();
    let lengths = drain(&mut queue);
    // The `Session` frames name 7, 8, 7 and 0.
    assert_eq!(lengths.iter().filter(|length| **length < 10).count(), 4, "{lengths:?}");
    assert_eq!(lengths[lengths.len() - 3..], [90, lengths[0].min(4), 91]);
}

#[test]
fn an_overflow_discards_replays_and_releases_their_publications() {
    let mut queue = Queue::new(100, false);
    let history = history(300, &[""]);
    let first = Arc::downgrade(history.iter().next().unwrap());
    queue.push_publication(0, &frame(50)).unwrap();
    queue.advance(10);
    queue.push_replay(0, history, EventFilter::default());
    assert!(queue.footprint() > 0 && first.upgrade().is_some());
    queue.overflow();
    assert_eq!((queue.bytes(), queue.footprint()), (40, 0));
    assert!(first.upgrade().is_none());
    // After an overflow, only the goodbye is accepted.
    push_replay(&mut queue, 0, &[50]);
    assert_eq!(queue.bytes(), 40);
}
