//! What is promised, told as stories.

use crate::{clients::Told, world::World};
use sealwire_client::{GapReason, State, SubscriptionId};
use sealwire_relay::Settings;

const SUBSCRIBER: usize = 0;
const PUBLISHER: usize = 1;

/// A world with a live subscriber and a publisher, and nothing told so far but the confirmation.
fn subscribed() -> (World, SubscriptionId) {
    let mut world = World::new(2, 1);
    let subscription = world.subscribe(SUBSCRIBER, "absences", None);
    world.run(1_000);
    assert_eq!(take(&mut world, subscription), [Told::Confirmed]);
    (world, subscription)
}

fn take(world: &mut World, subscription: SubscriptionId) -> Vec<Told> {
    world.clients[SUBSCRIBER].told.remove(&subscription).unwrap_or_default()
}

fn payloads(numbers: impl IntoIterator<Item = u32>) -> Vec<Told> {
    numbers.into_iter().map(|number| Told::Payload(number.to_string())).collect()
}

/// Publishes one number a second.
fn publish_every_second(world: &mut World, numbers: std::ops::Range<u32>) {
    for number in numbers {
        world.publish(PUBLISHER, "absences", &number.to_string());
        world.run(1_000);
    }
}

#[test]
fn a_message_reaches_the_subscriber_and_the_publisher_is_told() {
    let (mut world, subscription) = subscribed();
    publish_every_second(&mut world, 0..3);
    assert_eq!(take(&mut world, subscription), payloads(0..3));
    assert_eq!((world.clients[PUBLISHER].published, world.relay.refusals), (3, 0));
}

#[test]
fn a_publisher_over_its_rate_is_slowed_down_and_everything_arrives_once_and_in_order() {
    let (mut world, subscription) = subscribed();
    world.relay.limit(Settings { publish_rate: 20, publish_burst: 30, ..Settings::default() });
    // All at once: the rest of the burst passes, and the others come back when they are asked to.
    for number in 0..120 {
        world.publish(PUBLISHER, "absences", &number.to_string());
    }
    world.run(2_000);
    let early = take(&mut world, subscription);
    assert!((30..=90).contains(&early.len()), "{} in two seconds", early.len());
    assert!(world.relay.refusals > 0);
    world.run(6_000);
    let told = [early, take(&mut world, subscription)].concat();
    assert_eq!(told, payloads(0..120));
    assert_eq!((world.clients[PUBLISHER].published, world.clients[PUBLISHER].failed.len()), (120, 0));
    // What would take longer than a caller waits is told to the caller.
    world.relay.limit(Settings { publish_rate: 1, publish_burst: 1, ..Settings::default() });
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
        assert_eq!(take(&mut world, subscription), payloads(0..5), "nothing reaches who is cut off");
        world.mend(SUBSCRIBER);
        // Who does not notice the cut finds out by the silence; both may have to wait for their next attempt.
        publish_every_second(&mut world, 35..100);
        assert_eq!(take(&mut world, subscription), payloads(5..100), "notices: {notices}");
    }
}

#[test]
fn a_subscriber_cut_off_past_the_replay_window_is_told_of_the_gap_first() {
    let (mut world, subscription) = subscribed();
    publish_every_second(&mut world, 0..5);
    world.cut(SUBSCRIBER, true);
    publish_every_second(&mut world, 5..180);
    world.mend(SUBSCRIBER);
    publish_every_second(&mut world, 180..240);
    let told = take(&mut world, subscription);
    assert_eq!(told[..5], payloads(0..5));
    assert_eq!(told[5], Told::Gap(GapReason::Evicted));
    let Told::Payload(first) = &told[6] else { panic!("{told:?}") };
    let first: u32 = first.parse().unwrap();
    assert!((40..=100).contains(&first), "two minutes are replayed, from {first} on");
    assert_eq!(told[6..], payloads(first..240));
}

#[test]
fn a_relay_that_restarts_is_a_gap_and_the_subscription_goes_on() {
    let (mut world, subscription) = subscribed();
    publish_every_second(&mut world, 0..5);
    world.restart_relay(2);
    world.run(10_000);
    publish_every_second(&mut world, 5..8);
    let mut expected = payloads(0..5);
    expected.push(Told::Gap(GapReason::Epoch));
    expected.extend(payloads(5..8));
    assert_eq!(take(&mut world, subscription), expected);
}

#[test]
fn a_publish_during_a_cut_arrives_once_when_the_network_is_back() {
    let (mut world, subscription) = subscribed();
    publish_every_second(&mut world, 0..1);
    // Its publish arrives at the relay; the acknowledgement does not.
    world.publish(PUBLISHER, "absences", "1");
    world.run(60);
    world.cut(PUBLISHER, true);
    world.publish(PUBLISHER, "absences", "2");
    world.run(1_000);
    world.mend(PUBLISHER);
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
fn a_session_that_cannot_be_refreshed_is_replaced_when_it_ends_and_loses_nothing() {
    let mut world = World::new(2, 3);
    world.session_seconds = 20;
    let subscription = world.subscribe(SUBSCRIBER, "absences", None);
    world.run(1_000);
    world.refuses_refreshes = true;
    publish_every_second(&mut world, 0..100);
    world.run(30_000);
    assert_eq!(take(&mut world, subscription)[1..], payloads(0..100));
    assert!((5..=8).contains(&world.clients[SUBSCRIBER].connects));
}

#[test]
fn a_rotated_key_is_fetched_once_and_no_message_is_lost() {
    let (mut world, subscription) = subscribed();
    world.keys = vec![2, 1];
    // The publisher begins after the rotation and seals under the new key.
    publish_every_second(&mut world, 0..5);
    assert_eq!(take(&mut world, subscription), payloads(0..5));
    assert_eq!((world.clients[SUBSCRIBER].fetches, world.clients[SUBSCRIBER].connects), (2, 1));
}

#[test]
fn a_message_under_a_key_that_nobody_is_given_is_an_error_and_the_next_is_delivered() {
    let mut world = World::new(3, 4);
    let subscription = world.subscribe(SUBSCRIBER, "absences", None);
    world.run(1_000);
    world.keys = vec![9];
    world.publish(PUBLISHER, "absences", "unreadable");
    world.run(60);
    world.keys = vec![1];
    world.run(5_000);
    world.publish(2, "absences", "readable");
    // Four sessions do not bring it.
    world.run(15_000);
    let readable = Told::Payload("readable".into());
    assert_eq!(take(&mut world, subscription), [Told::Confirmed, Told::Unreadable, readable]);
}

#[test]
fn a_late_subscription_is_replayed_what_it_asks_for_beside_a_live_one() {
    let (mut world, first) = subscribed();
    publish_every_second(&mut world, 0..20);
    let second = world.subscribe(SUBSCRIBER, "absences", Some(10));
    publish_every_second(&mut world, 20..25);
    assert_eq!(take(&mut world, first), payloads(0..25));
    let told = take(&mut world, second);
    let Some(Told::Payload(start)) = told.get(told.len() - 15) else { panic!("{told:?}") };
    assert_eq!(start, "10", "{told:?}");
    assert_eq!(told[told.len() - 15..], payloads(10..25));
}

#[test]
fn the_last_unsubscribe_leaves_the_relay_without_subscription_and_then_without_connection() {
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
fn unsubscribing_and_subscribing_in_any_hurry_leaves_exactly_what_is_wanted() {
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
