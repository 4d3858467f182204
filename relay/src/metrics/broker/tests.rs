use super::*;
use std::sync::Barrier;

#[test]
fn a_server_has_its_state_and_the_number_of_connects_after_the_first() {
    let metrics = BrokerMetrics::new(["nats://a:1".to_owned(), "nats://b:1".to_owned()], 0);
    let state = |metrics: &BrokerMetrics| {
        metrics.servers().map(|(address, up, re)| (address.to_owned(), up, re)).collect::<Vec<_>>()
    };
    metrics.connected(0);
    assert_eq!(state(&metrics)[0], ("nats://a:1".to_owned(), true, 0));
    metrics.disconnected(0);
    assert_eq!(state(&metrics)[0], ("nats://a:1".to_owned(), false, 0));
    metrics.connected(0);
    let expected = [("nats://a:1".to_owned(), true, 1), ("nats://b:1".to_owned(), false, 0)];
    assert_eq!(state(&metrics), expected);
    // An index without a server changes nothing.
    metrics.connected(2);
    metrics.disconnected(2);
    assert_eq!(state(&metrics), expected);
}

#[test]
fn a_stream_is_counted_once_however_often_it_is_reported() {
    let metrics = BrokerMetrics::new([], 4);
    for _ in 0..2 {
        metrics.stream_followed(0, true);
        metrics.stream_followed(3, true);
        metrics.stream_followed(4, true);
    }
    assert_eq!((metrics.streams_followed(), metrics.streams()), (2, 4));
    metrics.stream_followed(3, false);
    assert_eq!(metrics.streams_followed(), 1);
}

#[test]
fn a_join_is_under_way_until_it_is_dropped() {
    let metrics = Arc::new(BrokerMetrics::new([], 1));
    let joins = [metrics.joining(), metrics.joining()];
    assert_eq!(metrics.joins(), 2);
    drop(joins);
    assert_eq!(metrics.joins(), 0);
}

#[test]
fn every_event_has_a_counter_of_its_own() {
    let metrics = BrokerMetrics::new([], 1);
    let events: [fn(&BrokerMetrics); 11] = [
        BrokerMetrics::publish_retried,
        BrokerMetrics::publish_timed_out,
        |metrics| metrics.read_back(1),
        |metrics| metrics.holes_found(1),
        |metrics| metrics.holes_mended(1),
        |metrics| metrics.holes_lost(1),
        BrokerMetrics::elected,
        BrokerMetrics::history_read,
        BrokerMetrics::mark_written,
        BrokerMetrics::mark_race_lost,
        BrokerMetrics::message_ignored,
    ];
    for (times, event) in events.iter().enumerate() {
        (0..times).for_each(|_| event(&metrics));
    }
    let counters = [
        &metrics.publish_retries,
        &metrics.publish_timeouts,
        &metrics.messages_read_back,
        &metrics.holes_found,
        &metrics.holes_mended,
        &metrics.holes_lost,
        &metrics.elections,
        &metrics.reads,
        &metrics.marks_written,
        &metrics.mark_races_lost,
        &metrics.messages_ignored,
    ];
    assert_eq!(counters.map(Counter::total), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for (times, reason) in CatchUpReason::ALL.into_iter().enumerate() {
        (0..times).for_each(|_| metrics.catching_up(reason));
    }
    let expected = [("election", 0), ("reconnect", 1), ("hole", 2), ("slow", 3)];
    assert!(metrics.catch_ups().eq(expected));
}

#[test]
fn acknowledgements_of_all_threads_are_counted() {
    let metrics = BrokerMetrics::new([], 1);
    let start = Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                start.wait();
                (0..100_000).for_each(|_| metrics.acknowledged(Duration::from_micros(300)));
            });
        }
    });
    let distribution = metrics.acknowledgements();
    assert_eq!(distribution.buckets.iter().sum::<u64>(), 400_000);
    assert_eq!(distribution.micros, 400_000 * 300);
}
