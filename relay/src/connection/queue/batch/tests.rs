use super::{super::tests::push_replay, *};
use crate::websocket::{CloseStatus, encode_close, encode_message};
use bytes::{Bytes, BytesMut};
use sealwire_protocol::wire::{Messages, Publication, ToClient};
use std::io::IoSlice;

fn publication(len: usize) -> (Bytes, Bytes) {
    let message =
        ToClient::Publication(Publication { sealed: vec![7; len].into(), ..Publication::default() });
    (encode_message(&message).0, message.to_bytes().into())
}

fn push(queue: &mut Queue, frame: &Bytes, times: usize) {
    for _ in 0..times {
        queue.push_publication(0, frame).unwrap();
    }
}

/// Performs one write of at most `max` bytes, and returns the written bytes.
fn write(queue: &mut Queue, max: usize) -> Bytes {
    queue.expand_replay();
    queue.form_batch();
    let mut slices = [IoSlice::new(&[]); 64];
    let count = queue.fill_slices(&mut slices);
    let bytes: BytesMut = slices[..count].iter().flat_map(|slice| slice.iter().copied()).take(max).collect();
    queue.advance(bytes.len());
    bytes.freeze()
}

/// Returns the messages of a written batch.
fn messages(written: &Bytes) -> Vec<Bytes> {
    assert_eq!(written[0], 0x82);
    let header = match written[1] {
        0..=125 => 2,
        126 => 4,
        _ => 10,
    };
    Messages::of(written.slice(header..)).map(Result::unwrap).collect()
}

#[test]
fn queued_messages_form_one_websocket_message() {
    let mut queue = Queue::new(1 << 20, true);
    let sent: Vec<_> = [0, 1, 200, 70].map(publication).to_vec();
    for (frame, _) in &sent {
        queue.push_publication(0, frame).unwrap();
    }
    let written = write(&mut queue, usize::MAX);
    assert_eq!(messages(&written), sent.iter().map(|(_, message)| message.clone()).collect::<Vec<_>>());
    assert!(queue.is_empty());
    assert_eq!((queue.bytes(), queue.owned_bytes, queue.committed), (0, 0, 0));
    // A single message is written as it is.
    queue.push_publication(0, &sent[2].0).unwrap();
    assert_eq!(write(&mut queue, usize::MAX), sent[2].0);
}

#[test]
fn an_overflow_does_not_interrupt_a_started_batch() {
    let mut queue = Queue::new(1 << 20, true);
    let (frame, message) = publication(100);
    push(&mut queue, &frame, 3);
    // The first write takes the header and part of the first frame.
    let mut whole = BytesMut::from(&write(&mut queue, 10)[..]);
    queue.push_publication(0, &frame).unwrap();
    queue.overflow();
    let goodbye = publication(5);
    let close = encode_close(CloseStatus::Normal);
    queue.finish(0, &[goodbye.0.clone(), close.clone()]);
    while queue.committed > 0 {
        whole.extend_from_slice(&write(&mut queue, 50));
    }
    assert_eq!(messages(&whole.freeze()), vec![message; 3]);
    // A close frame is not part of a batch.
    let rest = write(&mut queue, usize::MAX);
    assert_eq!(rest, [goodbye.0, close].concat());
    assert_eq!((queue.bytes(), queue.owned_bytes), (0, 0));
}

#[test]
fn a_batch_is_bounded_in_messages_and_bytes() {
    let mut queue = Queue::new(1 << 24, true);
    let (small, _) = publication(1);
    push(&mut queue, &small, 100);
    assert_eq!(messages(&write(&mut queue, usize::MAX)).len(), 63);
    assert_eq!(messages(&write(&mut queue, usize::MAX)).len(), 37);
    let (large, _) = publication(30_000);
    push(&mut queue, &large, 3);
    assert_eq!(messages(&write(&mut queue, usize::MAX)).len(), 2);
    assert_eq!(write(&mut queue, usize::MAX), large);
    let (huge, _) = publication(100_000);
    push(&mut queue, &huge, 2);
    // Frames that are too long for a batch, and together too long for one write, are written one by one.
    assert_eq!([write(&mut queue, usize::MAX), write(&mut queue, usize::MAX)], [huge.clone(), huge]);
}

#[test]
fn the_headers_of_a_replay_do_not_count_against_the_limit() {
    let mut queue = Queue::new(10, true);
    push_replay(&mut queue, 0, &[60; 200]);
    assert_eq!((queue.bytes(), queue.bytes), (60 * 200, 0));
    let mut written = 0;
    while !queue.is_empty() {
        assert_eq!(queue.replay_bytes, queue.bytes);
        written += write(&mut queue, 100).len();
    }
    assert!(written > 60 * 200, "the written bytes include headers");
}

#[test]
fn a_client_without_batches_gets_single_messages() {
    let mut queue = Queue::new(1 << 20, false);
    let (frame, _) = publication(1);
    push(&mut queue, &frame, 2);
    assert_eq!(write(&mut queue, usize::MAX), [&frame[..], &frame[..]].concat());
}
