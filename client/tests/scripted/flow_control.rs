//! Flow control of publications: their order and their number in flight under a rate limit of the relay.

use crate::{publishing::opened, support::*};
use sealwire_client::Event;
use sealwire_protocol::{
    Code,
    wire::{Ping, Publish, ToRelay},
};
use std::collections::VecDeque;

/// A relay with a rate limit, which follows the rules of `Publish.follows`.
struct RateLimitedRelay {
    per_second: u64,
    burst: u64,
    /// The token bucket, in thousandths of a publication.
    tokens: u64,
    last_ms: u64,
    /// The request number of the last refused publication, or 0.
    refused: u32,
}

impl RateLimitedRelay {
    fn new(per_second: u64, burst: u64, now_ms: u64) -> Self {
        Self { per_second, burst, tokens: burst * 1_000, last_ms: now_ms, refused: 0 }
    }

    fn admits(&mut self, publish: &Publish, now_ms: u64) -> bool {
        self.tokens = (self.tokens + (now_ms - self.last_ms) * self.per_second).min(self.burst * 1_000);
        self.last_ms = now_ms;
        let follows_refused = self.refused != 0 && publish.follows == self.refused;
        let admitted = !follows_refused && self.tokens >= 1_000;
        self.tokens -= if admitted { 1_000 } else { 0 };
        self.refused = if admitted { 0 } else { publish.request };
        admitted
    }

    fn retry_after_ms(&self) -> u32 {
        let wait = ((1_000u64.saturating_sub(self.tokens)) / self.per_second).max(1);
        u32::try_from(wait).unwrap()
    }
}

/// Publishes `count` times against a relay that admits 200 publications a second and 40 at once. Returns the order in which
/// the relay accepted the publications, the number of frames, and the time in seconds.
fn publish_at_a_limited_rate(count: usize, round_trip_ms: u64) -> (Vec<usize>, usize, f64) {
    let (mut harness, _) = Harness::subscribed("absences");
    let mut relay = RateLimitedRelay::new(200, 40, harness.now_ms);
    let (mut accepted, mut frames, mut offset) = (Vec::new(), 0, 10);
    let mut calls: VecDeque<usize> = (0..count).collect();
    let start_ms = harness.now_ms;
    let mut in_flight = VecDeque::new();
    let mut answers = VecDeque::new();
    for _ in 0..120_000 {
        while let Some(call) = calls.front()
            && call - accepted.len() < 80
        {
            harness.publish("absences", &call.to_string());
            calls.pop_front();
        }
        while let Some(message) = harness.sent.pop_front() {
            if let ToRelay::Publish(publish) = message {
                in_flight.push_back((harness.now_ms + round_trip_ms / 2, publish));
            }
        }
        while in_flight.front().is_some_and(|(at, _)| *at <= harness.now_ms) {
            let (_, publish) = in_flight.pop_front().unwrap();
            frames += 1;
            let admitted = relay.admits(&publish, harness.now_ms);
            if admitted {
                accepted.push(opened(&publish).parse().unwrap());
            }
            answers.push_back((harness.now_ms + round_trip_ms / 2, publish, admitted));
        }
        while answers.front().is_some_and(|(at, ..)| *at <= harness.now_ms) {
            let (_, publish, admitted) = answers.pop_front().unwrap();
            if admitted {
                offset += 1;
                harness.acknowledge(&publish, offset);
            } else {
                harness.refuse(publish.request, Code::RateLimited, relay.retry_after_ms());
            }
        }
        if accepted.len() == count && answers.is_empty() {
            break;
        }
        harness.advance(1);
        if harness.now_ms.is_multiple_of(20_000) {
            harness.ping();
        }
    }
    let failed = |event: &&Event| matches!(event, Event::PublishDone { result: Err(_), .. });
    let failed: Vec<_> = harness.events.iter().filter(failed).collect();
    assert!(failed.is_empty(), "no publish fails: {failed:?}");
    (accepted, frames, (harness.now_ms - start_ms) as f64 / 1_000.0)
}

#[test]
fn publications_keep_the_order_of_the_calls_despite_a_rate_limit() {
    // With a long round trip, the burst that the relay admits bounds the rate.
    for (round_trip_ms, max_seconds) in [(0, 2.5), (10, 2.5), (100, 2.5), (400, 6.0)] {
        let (accepted, frames, seconds) = publish_at_a_limited_rate(360, round_trip_ms);
        assert_eq!(accepted, (0..360).collect::<Vec<_>>(), "{round_trip_ms}");
        assert!(frames < 360 * 9 / 4, "{frames} frames for 360 publications at {round_trip_ms} ms");
        assert!(seconds < max_seconds, "{seconds} s instead of at best 1.6 s, at {round_trip_ms} ms");
    }
}

#[test]
fn half_as_many_are_in_flight_after_a_refusal() {
    let (mut harness, _) = Harness::subscribed("absences");
    for _ in 0..100 {
        harness.publish("absences", "1");
    }
    let frames: Vec<_> = (0..100).map(|_| harness.expect_publish()).collect();
    assert_eq!(frames[0].follows, 0);
    assert!(frames.windows(2).all(|pair| pair[1].follows == pair[0].request));
    for (frame, offset) in frames[..60].iter().zip(11..) {
        harness.acknowledge(frame, offset);
    }
    // The relay also refuses everything that follows the refused publication.
    for frame in &frames[60..] {
        harness.refuse(frame.request, Code::RateLimited, 500);
    }
    harness.advance(499);
    assert_eq!(harness.sent, []);
    harness.advance(1);
    let again: Vec<_> = (0..30).map(|_| harness.expect_publish()).collect();
    assert_eq!(harness.sent, []);
    assert_eq!(again[0].follows, 0, "it does not follow a refused publication");
    let ids = |frames: &[Publish]| frames.iter().map(|frame| frame.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(&frames[60..90]));
    harness.acknowledge(&again[0], 71);
    harness.acknowledge(&again[1], 72);
    let more: Vec<_> = (0..3).map(|_| harness.expect_publish()).collect();
    assert_eq!((harness.sent.len(), more[0].follows), (0, again[29].request));
}

#[test]
fn a_refusal_past_the_deadline_fails_one_publish_and_the_next_one_waits() {
    let (mut harness, _) = Harness::subscribed("absences");
    let first = harness.publish_within("absences", "1", 8_000);
    harness.publish("absences", "2");
    let request = harness.expect_publish().request;
    let second = harness.expect_publish();
    harness.refuse(request, Code::RateLimited, 8_000);
    assert_eq!(harness.expect_publish_error(first).code.name(), "RATE_LIMITED");
    harness.refuse(second.request, Code::RateLimited, 8_000);
    harness.advance(7_999);
    harness.expect_nothing();
    harness.advance(1);
    assert_eq!(harness.expect_publish().id, second.id);
}

#[test]
fn a_new_connection_starts_a_new_chain_of_follows() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.publish("absences", "1");
    harness.publish("absences", "2");
    harness.sent.clear();
    harness.cut(None);
    harness.advance_to_attempt();
    harness.establish();
    harness.confirm("absences", 10);
    let first = harness.expect_publish();
    assert_eq!((first.follows, harness.expect_publish().follows), (0, first.request));
}

#[test]
fn a_second_without_publications_lifts_the_limit() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.publish("absences", "1");
    let request = harness.expect_publish().request;
    harness.refuse(request, Code::RateLimited, 100);
    harness.advance(100);
    let again = harness.expect_publish();
    harness.publish("absences", "2");
    assert_eq!(harness.sent, [], "one at a time");
    harness.acknowledge(&again, 11);
    let second = harness.expect_publish();
    harness.acknowledge(&second, 12);
    harness.advance(1_000);
    for _ in 0..50 {
        harness.publish("absences", "3");
        harness.expect_publish();
    }
}

#[test]
fn a_publication_does_not_follow_one_that_timed_out() {
    let (mut harness, _) = Harness::subscribed("absences");
    harness.publish_within("absences", "1", 2_000);
    harness.expect_publish();
    harness.advance(2_000);
    assert_eq!(harness.sent.pop_front(), Some(ToRelay::Ping(Ping::default())));
    harness.publish("absences", "2");
    assert_eq!(harness.expect_publish().follows, 0);
}
