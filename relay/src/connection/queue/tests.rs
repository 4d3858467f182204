use super::*;
use crate::{
    hub::{Draft, Publication},
    session::EventFilter,
    tenant::Tenant,
};
use sealwire_protocol::{ChannelId, UnixMillis};
use std::sync::Arc;

pub(super) fn frame(len: usize) -> Bytes {
    vec![0; len].into()
}

/// Queues a replay of publications whose frames have these lengths.
pub(super) fn push_replay(queue: &mut Queue, session: SessionNumber, lengths: &[usize]) {
    let publication = |(offset, length): (usize, &usize)| {
        let of = |sealed: usize| {
            let (channel, tenant) = (ChannelId([1; 16]), Tenant::default());
            let draft = Draft {
                channel,
                tenant,
                event: String::new(),
                sealed: frame(sealed),
                id: [0; 16],
                content: None,
                trace: None,
            };
            Arc::new(Publication::new(draft, offset as u64 + 1, offset as u64, UnixMillis(1)))
        };
        let min = of(0).frame().len();
        (length.saturating_sub(min + 10)..=*length)
            .map(of)
            .find(|made| made.frame().len() == *length)
            .unwrap()
    };
    let history = lengths.iter().enumerate().map(publication).collect();
    queue.push_replay(session, history, EventFilter::default());
}

fn front(queue: &Queue) -> usize {
    let mut slices = [IoSlice::new(&[]); 1];
    queue.fill_slices(&mut slices);
    slices[0].len()
}

#[test]
fn a_full_queue_overflows_once_and_keeps_only_a_started_frame() {
    let mut queue = Queue::new(10, false);
    assert_eq!(queue.push_publication(0, &frame(6)), Ok(true));
    assert_eq!(queue.push_publication(0, &frame(4)), Ok(false));
    queue.advance(2);
    assert_eq!(queue.push_publication(0, &frame(3)), Err(Overflow));
    assert_eq!(queue.push_publication(0, &frame(1)), Ok(false));
    // The started frame must be completed; the rest is discarded at once.
    assert_eq!(queue.bytes(), 4);
    queue.finish(0, &[frame(5)]);
    assert_eq!((queue.bytes(), front(&queue)), (4 + 5, 4));
    queue.finish(0, &[frame(5)]);
    assert_eq!(queue.bytes(), 9);
    queue.advance(9);
    assert!(queue.is_empty());
}

#[test]
fn a_replay_does_not_count_against_the_limit() {
    let mut queue = Queue::new(10, false);
    push_replay(&mut queue, 0, &[100]);
    assert_eq!(queue.push_publication(0, &frame(10)), Ok(false));
    queue.expand_replay();
    queue.advance(50);
    assert_eq!(queue.push_publication(0, &frame(1)), Err(Overflow));
}

#[test]
fn an_answer_precedes_publications_that_arrived_while_it_was_due() {
    let mut queue = Queue::new(10, false);
    queue.defer();
    assert_eq!(queue.push_publication(0, &frame(1)), Ok(false));
    assert_eq!(queue.push_publication(0, &frame(2)), Ok(false));
    assert!(queue.is_empty());
    assert_eq!(queue.push_answer(0, frame(3)), Ok(()));
    queue.flush_deferred();
    assert_eq!(queue.push_publication(0, &frame(4)), Ok(false));
    let order: Vec<usize> = queue.frames.iter().map(|frame| frame.bytes.len()).collect();
    assert_eq!(order, [3, 1, 2, 4]);
    // Deferred publications count against the limit as well.
    let mut queue = Queue::new(10, false);
    queue.defer();
    assert_eq!(queue.push_publication(0, &frame(10)), Ok(false));
    assert_eq!(queue.push_publication(0, &frame(1)), Err(Overflow));
    queue.finish(0, &[frame(2)]);
    assert_eq!(queue.bytes(), 2);
}

#[test]
fn an_overflow_before_the_first_write_keeps_nothing() {
    let mut queue = Queue::new(10, false);
    assert_eq!(queue.push_publication(0, &frame(10)), Ok(true));
    assert_eq!(queue.push_publication(0, &frame(1)), Err(Overflow));
    queue.finish(0, &[frame(3)]);
    assert_eq!(queue.bytes(), 3);
}

#[test]
fn the_footprint_is_the_frames_capacity_and_the_bytes_that_nobody_else_holds() {
    let mut queue = Queue::new(10_000, false);
    assert_eq!(queue.push_publication(0, &frame(1000)), Ok(true));
    assert_eq!(queue.footprint(), 0);
    for _ in 0..8 {
        assert!(queue.push_publication(0, &frame(100)).is_ok());
    }
    assert_eq!(queue.footprint(), 8 * size_of::<QueuedFrame>());
    queue.push_answer(0, frame(500)).unwrap();
    assert_eq!(queue.footprint(), 16 * size_of::<QueuedFrame>() + 500);
    queue.advance(1000 + 8 * 100 + 200);
    assert_eq!(queue.footprint(), 16 * size_of::<QueuedFrame>() + 300);
    queue.defer();
    assert!(queue.push_publication(0, &frame(100)).is_ok());
    assert!(queue.footprint() > 16 * size_of::<QueuedFrame>() + 300);
    assert!(!queue.shed());
    assert_eq!((queue.bytes(), queue.footprint()), (300, 300));
    // The client does not even read its last frame.
    assert!(queue.shed());
    assert_eq!((queue.bytes(), queue.footprint(), queue.is_empty()), (0, 0, true));
    queue.finish(0, &[frame(10)]);
    assert!(queue.is_empty());
}

/// Writes the whole queue. Returns `session N` for a `Session` frame, and the length of any other frame.
fn written(queue: &mut Queue) -> Vec<String> {
    queue.expand_replay();
    let frames = queue.frames.iter().map(|frame| match ToClient::from_bytes(frame.bytes.slice(2..)) {
        Ok(ToClient::Session(Session { number })) => format!("session {number}"),
        _ => frame.bytes.len().to_string(),
    });
    let frames = frames.collect();
    queue.advance(queue.bytes);
    frames
}

#[test]
fn a_session_frame_is_written_only_when_the_session_changes() {
    let mut queue = Queue::new(1000, false);
    for (session, len) in [(0, 50), (0, 51), (3, 52), (3, 53), (0, 54)] {
        assert!(queue.push_publication(session, &frame(len)).is_ok());
    }
    assert_eq!(written(&mut queue), ["50", "51", "session 3", "52", "53", "session 0", "54"]);
    assert_eq!(queue.push_publication(0, &frame(50)), Ok(true));
    assert_eq!(queue.push_answer(3, frame(51)), Ok(()));
    assert_eq!(written(&mut queue), ["50", "session 3", "51"]);
    push_replay(&mut queue, 3, &[60]);
    queue.finish(4, &[frame(51), frame(52)]);
    assert_eq!(written(&mut queue), ["60", "session 4", "51", "52"]);
}

#[test]
fn after_an_overflow_the_goodbye_follows_its_session_frame() {
    let mut queue = Queue::new(100, false);
    assert_eq!(queue.push_publication(1, &frame(50)), Ok(true));
    // The `Session` frame is written, and the frame behind it is started.
    queue.advance(6 + 10);
    assert_eq!(queue.push_publication(2, &frame(70)), Err(Overflow));
    queue.finish(2, &[frame(51)]);
    assert_eq!(written(&mut queue), ["40", "session 2", "51"]);
}
