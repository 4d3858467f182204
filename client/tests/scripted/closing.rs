//! Closing the client.

use crate::support::*;
use sealwire_client::{Event, State};

#[test]
fn closing_fails_every_pending_call_and_delivers_nothing_more() {
    let (mut harness, _) = Harness::subscribed("absences");
    let waiting = harness.subscribe("other");
    let publish = harness.publish("absences", "1");
    let connection = harness.connection.unwrap();
    let frame = publication("absences", 10, 11, "1").to_bytes();
    harness.client.handle_frame(harness.now(), connection, Some(frame.into()));
    harness.client.close();
    harness.sent.clear();
    harness.drain();
    assert_eq!(harness.disconnects, [1000]);
    assert_eq!(harness.states(), [State::Closed]);
    assert_eq!(harness.expect_subscribe_error(waiting).code.name(), "CLOSED");
    assert_eq!(harness.expect_publish_error(publish).code.name(), "CLOSED");
    harness.expect_nothing();
}

#[test]
fn calls_after_close_fail() {
    let (mut harness, subscription) = Harness::subscribed("absences");
    harness.client.close();
    harness.drain();
    assert_eq!(harness.states(), [State::Closed]);
    harness.client.close();
    let late = harness.subscribe("absences");
    assert_eq!(harness.expect_subscribe_error(late).code.name(), "CLOSED");
    let publish = harness.publish("absences", "1");
    assert_eq!(harness.expect_publish_error(publish).code.name(), "CLOSED");
    harness.unsubscribe(subscription);
    assert_eq!(harness.next_event(), Event::UnsubscribeDone { subscription });
    harness.client.refresh_token(harness.now(), subscription, "x");
    harness.drain();
    assert!(matches!(harness.next_event(), Event::RefreshDone { result: Err(_), .. }));
    harness.expect_nothing();
    assert_eq!(harness.client.poll_timeout(), None);
}
