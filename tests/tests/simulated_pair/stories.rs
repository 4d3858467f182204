//! The delivery guarantees, one scenario each.

use crate::{clients::Received, world::World};
use sealwire_client::{GapReason, State, SubscriptionId};
use sealwire_relay::Settings;

const SUBSCRIBER: usize = 0;
const PUBLISHER: usize = 1;

/// Returns a world with a confirmed subscriber and a publisher.
fn subscribed() -> (World, SubscriptionId) {
    let mut world = World::new(2, 1);
    let subscription = world.subscribe(SUBSCRIBER, "absences", None);
    world.run(1_000);
    assert_eq!(take(&mut world, subscription), [Received::Confirmed]);
    (world, subscription)
}

fn take(world: &mut World, subscription: SubscriptionId) -> Vec<Received> {
    world.clients[SUBSCRIBER].received.remove(&subscription).unwrap_or_default()
}

fn payloads(numbers: impl IntoIterator<Item = u32>) -> Vec<Received> {
    numbers.into_iter().map(|number| Received::Payload(number.to_string())).collect()
}

/// Publishes one number per second.
fn publish_every_second(world: &mut World, numbers: std::ops::Range<u32>) {
    for number in numbers {
        world.publish(PUBLISHER, "absences", &number.to_string());
        world.run(1_000);
    }
}

#[test]
fn a_message_reaches_the_subscriber_and_is_acknowledged_to_the_publisher() {
    let (mut world, subscription) = subscribed();
    publish_every_second(&mut world, 0..3);
    assert_eq!(take(&mut world, subscription), payloads(0..3));
    assert_eq!((world.clients[PUBLISHER].published, world.relay.refusals), (3, 0));
}

#[test]
fn a_publisher_over_its_rate_is_slowed_down_and_its_messages_arrive_once_and_in_order() {
    let (mut world, subscription) = subscribed();
    world.relay.apply_settings(Settings { publish_rate: 20, publish_burst: 30, ..Settings::default() });
    // The rest of the burst passes; the client retries the others after the delay that the relay names.
    for number in 0..120 {
        world.publish(PUBLISHER, "absences", &number.to_string());
    }
    world.run(2_000);
    let early = take(&mut world, subscription);
    assert!((30..=90).contains(&early.len()), "{} in two seconds", early.len());
    assert!(world.relay.refusals > 0);
    world.run(6_000);
    let received = [early, take(&mut world, subscription)].concat();
    assert_eq!(received, payloads(0..120));
    assert_eq!((world.clients[PUBLISHER].published, world.clients[PUBLISHER].failed.len()), (120, 0));
    // A publish that would exceed its timeout fails with the reason.
    world.relay.apply_settings(Settings { publish_rate: 1, publish_burst: 1, ..Settings::default() });
    for number in 0..30 {
        world.publish_within(PUBLISHER, "absences", &number.to_string(), Some(10_000));
    }
    world.run(20_000);
    let arrived = take(&mut world, subscription).len();
    let publisher = &world.clients[PUBLISHER];
    assert!(publisher.failed.len() > 10, "{}", publisher.failed.len());
    assert!(
        publisher.failed.iter().all(|error| error.code.name() == "RATE_LIMITED"),
        "{:?}",
        publisher.failed
    );
    assert_eq!(arrived, publisher.published - 120);
}

#[test]
fn a_subscriber_cut_off_for_thirty_seconds_gets_everything_once_and_in_order() {
    for notices in [true, false] {
        let (mut world, subscription) = subscribed();
        publish_every_second(&mut world, 0..5);
        world.cut(SUBSCRIBER, notices);
        publish_every_second(&mut world, 5..35);
        assert_eq!(
            take(&mut world, subscription),
            payloads(0..5),
            "a message reached a client without a network"
        );
        world.reconnect(SUBSCRIBER);
        // A client that did not notice the cut detects the silence. Either way it may have to wait for its next attempt.
        publish_every_second(&mut world, 35..100);
        assert_eq!(take(&mut world, subscription), payloads(5..100), "notices: {notices}");
    }
}

#[test]
fn a_subscriber_cut_off_past_the_replay_window_reports_the_gap_before_the_next_message() {
    let (mut world, subscription) = subscribed();
    publish_every_second(&mut world, 0..5);
    world.cut(SUBSCRIBER, true);
    publish_every_second(&mut world, 5..180);
    world.reconnect(SUBSCRIBER);
    publish_every_second(&mut world, 180..240);
    let received = take(&mut world, subscription);
    assert_eq!(received[..5], payloads(0..5));
    assert_eq!(received[5], Received::Gap(GapReason::Evicted));
    let Received::Payload(first) = &received[6] else { panic!("{received:?}") };
    let first: u32 = first.parse().unwrap();
    assert!((40..=100).contains(&first), "the replay of two minutes begins with {first}");
    assert_eq!(received[6..], payloads(first..240));
}

#[test]
fn a_restart_of_the_relay_is_a_gap_and_the_subscription_continues() {
    let (mut world, subscription) = subscribed();
    publish_every_second(&mut world, 0..5);
    world.restart_relay(2);
    world.run(10_000);
    publish_every_second(&mut world, 5..8);
    let mut expected = payloads(0..5);
    expected.push(Received::Gap(GapReason::Epoch));
    expected.extend(payloads(5..8));
    assert_eq!(take(&mut world, subscription), expected);
}

#[test]
fn a_publish_during_a_cut_arrives_once_after_the_network_is_back() {
    let (mut world, subscription) = subscribed();
    publish_every_second(&mut world, 0..1);
    // The publish reaches the relay, but its acknowledgement does not return.
    world.publish(PUBLISHER, "absences", "1");
    world.run(60);
    world.cut(PUBLISHER, true);
    world.publish(PUBLISHER, "absences", "2");
    world.run(1_000);
    world.reconnect(PUBLISHER);
    world.run(8_000);
    assert_eq!(take(&mut world, subscription), payloads(0..3));
    assert_eq!((world.clients[PUBLISHER].published, world.clients[PUBLISHER].failed.len()), (3, 0));
}

#[test]
fn a_session_is_refreshed_for_hours_on_one_connection_and_loses_nothing() {
    let (mut world, subscription) = subscribed();
    for number in 0..60 {
        world.publish(PUBLISHER, "absences", &number.to_string());
        world.run(180_000);
    }
    assert_eq!(take(&mut world, subscription), payloads(0..60));
    let subscriber = &world.clients[SUBSCRIBER];
    assert_eq!((subscriber.connects, world.relay.refusals), (1, 0));
    assert!((14..=18).contains(&subscriber.fetches), "{} sessions in three hours", subscriber.fetches);
}

#[test]
fn a_session_that_cannot_be_refreshed_is_replaced_after_its_end_and_loses_nothing() {
    let mut world = World::new(2, 3);
    world.session_seconds = 20;
    let subscription = world.subscribe(SUBSCRIBER, "absences", None);
    world.run(1_000);
    world.fails_refreshes = true;
    publish_every_second(&mut world, 0..100);
    world.run(30_000);
    assert_eq!(take(&mut world, subscription)[1..], payloads(0..100));
    assert!((5..=8).contains(&world.clients[SUBSCRIBER].connects));
}

#[test]
fn a_rotated_key_is_fetched_once_and_no_message_is_lost() {
    let (mut world, subscription) = subscribed();
    world.keys = vec![2, 1];
    // The publisher's session begins after the rotation, so it seals with the new key.
    publish_every_second(&mut world, 0..5);
    assert_eq!(take(&mut world, subscription), payloads(0..5));
    assert_eq!((world.clients[SUBSCRIBER].fetches, world.clients[SUBSCRIBER].connects), (2, 1));
}

#[test]
fn a_message_under_an_unavailable_key_is_an_error_and_the_next_message_is_delivered() {
    let mut world = World::new(3, 4);
    let subscription = world.subscribe(SUBSCRIBER, "absences", None);
    world.run(1_000);
    world.keys = vec![9];
    world.publish(PUBLISHER, "absences", "unreadable");
    world.run(60);
    world.keys = vec![1];
    world.run(5_000);
    world.publish(2, "absences", "readable");
    // The client requests four sessions, none of which has the key.
    world.run(15_000);
    let readable = Received::Payload("readable".into());
    assert_eq!(take(&mut world, subscription), [Received::Confirmed, Received::Unreadable, readable]);
}

#[test]
fn a_second_subscription_gets_the_replay_it_asked_for_beside_a_live_one() {
    let (mut world, first) = subscribed();
    publish_every_second(&mut world, 0..20);
    let second = world.subscribe(SUBSCRIBER, "absences", Some(10));
    publish_every_second(&mut world, 20..25);
    assert_eq!(take(&mut world, first), payloads(0..25));
    let received = take(&mut world, second);
    let Some(Received::Payload(start)) = received.get(received.len() - 15) else { panic!("{received:?}") };
    assert_eq!(start, "10", "{received:?}");
    assert_eq!(received[received.len() - 15..], payloads(10..25));
}

#[test]
fn the_last_unsubscribe_ends_the_relays_subscription_and_then_the_idle_connection() {
    let (mut world, subscription) = subscribed();
    let second = world.subscribe(SUBSCRIBER, "absences", None);
    world.run(1_000);
    world.unsubscribe(SUBSCRIBER, subscription);
    world.run(1_000);
    assert_eq!(world.relay.subscriptions(), 1);
    world.unsubscribe(SUBSCRIBER, second);
    world.run(1_000);
    assert_eq!((world.relay.subscriptions(), world.clients[SUBSCRIBER].core.state()), (0, State::Connected));
    world.run(5_000);
    assert_eq!(world.clients[SUBSCRIBER].core.state(), State::Idle);
}

#[test]
fn rapid_unsubscribes_and_subscribes_leave_exactly_the_wanted_subscription() {
    let mut world = World::new(2, 5);
    let mut last = world.subscribe(SUBSCRIBER, "absences", None);
    for pause in [0, 10, 39, 40, 41, 79, 80, 81, 120, 200] {
        world.run(pause);
        world.unsubscribe(SUBSCRIBER, last);
        last = world.subscribe(SUBSCRIBER, "absences", None);
    }
    world.run(1_000);
    assert_eq!((world.relay.subscriptions(), world.relay.refusals), (1, 0));
    publish_every_second(&mut world, 0..2);
    assert_eq!(take(&mut world, last)[1..], payloads(0..2));
}
