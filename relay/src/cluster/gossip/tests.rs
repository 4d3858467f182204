mod bus;

use super::*;
use crate::{limits::SessionPermit, settings::Settings};
use bus::{BURST, Bus, Faults, RATE, Relay, STEP};
use members::SILENCE;
use proptest::prelude::*;
use report::Report;

#[test]
fn the_relays_together_accept_the_configured_rate_after_one_burst_each() {
    let time = Duration::from_secs(60);
    for relays in [1, 2, 3, 8] {
        let mut bus = Bus::new(relays, Faults { delay: 5, ..Faults::default() });
        bus.run(time, Relay::flood);
        let lag = REPORT_INTERVAL + STEP * 5;
        let bound = Bus::bound(relays as u64, time, lag);
        assert!(bus.accepted() <= bound, "{relays} relays: {} > {bound}", bus.accepted());
        // The relays do not hold each other back by more than the bursts that they are in debt for.
        let least = RATE * time.as_secs() * 95 / 100;
        assert!(bus.accepted() >= least, "{relays} relays: {} < {least}", bus.accepted());
        // Each relay gets its share.
        let shares: Vec<u64> = bus.relays.iter().map(|relay| relay.accepted).collect();
        assert!(shares.iter().all(|share| *share > 0), "{shares:?}");
    }
}

#[test]
fn the_bytes_and_the_rate_of_the_app_hold_for_all_relays_together_too() {
    for settings in [
        Settings {
            publish_byte_rate: Some(RATE * 100),
            publish_byte_burst: Some(BURST * 100),
            ..Settings::default()
        },
        Settings {
            publish_rate_per_app: Some(RATE),
            publish_burst_per_app: Some(BURST),
            ..Settings::default()
        },
    ] {
        let (time, mut bus) = (Duration::from_secs(60), Bus::new(3, Faults::default()));
        bus.relays.iter().for_each(|relay| relay.limits.set(settings.clone()));
        bus.run(time, Relay::flood);
        let bound = Bus::bound(3, time, REPORT_INTERVAL + STEP);
        assert!(bus.accepted() <= bound, "{} > {bound}", bus.accepted());
        assert!(bus.accepted() >= RATE * time.as_secs() * 95 / 100, "{}", bus.accepted());
    }
}

#[test]
fn one_relay_uses_the_whole_rate_while_the_others_are_quiet() {
    let mut bus = Bus::new(3, Faults::default());
    let time = Duration::from_secs(30);
    bus.run(time, |relay, now| {
        if relay.id == 1 {
            relay.flood(now)
        }
    });
    assert!(bus.accepted() >= BURST + RATE * (time.as_secs() - 1), "{}", bus.accepted());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Lost reports delay the count by at most three more intervals. Late, repeated and reordered ones count once.
    #[test]
    fn the_rate_holds_over_a_bad_network(seed in any::<u64>(), relays in 2..5_usize, lost in 0..60_u64, delay in 0..40_u64) {
        let mut bus = Bus::new(relays, Faults { seed, delay, lost, repeated: 30 });
        let time = Duration::from_secs(30);
        bus.run(time, Relay::flood);
        let lag = REPORT_INTERVAL * 4 + STEP * delay as u32;
        let bound = Bus::bound(relays as u64, time, lag);
        prop_assert!(bus.accepted() <= bound, "{} > {}", bus.accepted(), bound);
        let least = RATE * time.as_secs() * 85 / 100;
        prop_assert!(bus.accepted() >= least, "{} < {}", bus.accepted(), least);
    }

    /// After a bad network has recovered, each relay knows the sessions of all others.
    #[test]
    fn the_session_counts_agree_again_after_faults(seed in any::<u64>(), lost in 0..60_u64, delay in 0..40_u64) {
        let mut bus = Bus::new(3, Faults { seed, delay, lost, repeated: 30 });
        let mut draws = Faults { seed: !seed, ..Faults::default() };
        let mut open: Vec<(u64, SessionPermit)> = Vec::new();
        bus.run(Duration::from_secs(5), |relay, _| {
            match draws.draw(12) {
                0 => open.extend(relay.open().map(|permit| (relay.id, permit))),
                1 if !open.is_empty() => drop(open.swap_remove(draws.draw(open.len() as u64) as usize)),
                _ => {}
            }
        });
        bus.faults = Faults::default();
        bus.run(Duration::from_secs(3), |_, _| {});
        let account = IdDigest::account("app", "site", "alice");
        for relay in &bus.relays {
            let others = open.iter().filter(|(id, _)| *id != relay.id).count();
            prop_assert_eq!(relay.limits.other_sessions(&account), others);
        }
    }
}

#[test]
fn a_session_limit_holds_for_all_relays_once_they_have_reported() {
    let mut bus = Bus::new(2, Faults::default());
    let quiet = |bus: &mut Bus| bus.run(REPORT_INTERVAL + STEP * 2, |_, _| {});
    quiet(&mut bus);
    let mut sessions: Vec<_> = (0..5).map(|_| bus.relays[0].open().unwrap()).collect();
    // Until the report, the other relay does not know of them.
    assert!(bus.relays[1].open().is_some());
    quiet(&mut bus);
    let others: Vec<_> = std::iter::from_fn(|| bus.relays[1].open()).collect();
    assert_eq!(others.len(), 3);
    quiet(&mut bus);
    assert!(bus.relays[0].open().is_none());
    // A client that moves is counted once: the relay that it left reports it.
    sessions.pop();
    assert!(bus.relays[1].open().is_none());
    quiet(&mut bus);
    let _moved = bus.relays[1].open().unwrap();
    assert!(bus.relays[1].open().is_none());
}

#[test]
fn the_sessions_of_a_relay_that_died_stop_counting_within_a_second() {
    let mut bus = Bus::new(3, Faults::default());
    let sessions: Vec<_> = std::iter::from_fn(|| bus.relays[0].open()).collect();
    bus.run(REPORT_INTERVAL * 2, |_, _| {});
    assert!(bus.relays[1].open().is_none() && bus.relays[1].gossip.relays() == 3);
    bus.relays[0].is_down = true;
    bus.run(SILENCE + REPORT_INTERVAL, |_, _| {});
    let moved: Vec<_> = std::iter::from_fn(|| bus.relays[1].open()).collect();
    assert_eq!((moved.len(), bus.relays[1].gossip.relays()), (sessions.len(), 2));
    // The relay was only cut off, and returns with its sessions.
    bus.relays[0].is_down = false;
    bus.run(SILENCE + REPORT_INTERVAL, |_, _| {});
    let account = IdDigest::account("app", "site", "alice");
    assert_eq!(bus.relays[2].limits.other_sessions(&account), 16);
    assert_eq!(bus.relays[0].limits.other_sessions(&account), 8);
}

#[test]
fn a_new_relay_hears_of_all_sessions_within_a_second() {
    let mut bus = Bus::new(3, Faults::default());
    bus.relays[2].is_down = true;
    let _sessions: Vec<_> = std::iter::from_fn(|| bus.relays[0].open()).collect();
    bus.run(Duration::from_secs(5), |_, _| {});
    bus.relays[2].is_down = false;
    bus.run(MIN_FULL_INTERVAL + REPORT_INTERVAL, |_, _| {});
    assert!(bus.relays[2].open().is_none());
}

#[test]
fn a_hostile_member_delays_publications_by_at_most_a_minute_and_ends_with_its_reports() {
    let mut bus = Bus::new(1, Faults::default());
    let (start, name) = (bus.now, IdDigest::installation("app", "site"));
    for sequence in 1..=400 {
        let usage = crate::limits::Usage { messages: u64::MAX, bytes: u64::MAX };
        let batch = Batch { number: sequence, installations: vec![(name, usage)], apps: vec![(name, usage)] };
        let counts = vec![(IdDigest::account("app", "site", "alice"), u32::MAX)];
        let report = Report { sequence, batches: vec![batch], counts, ..Report::default() };
        bus.relays[0].gossip.handle_report(99, &report.encode(), start);
    }
    assert!(bus.relays[0].open().is_none());
    // Reports of another version, and bytes that are no report, change nothing.
    for bytes in [vec![8, 2], vec![0xff; 100], Vec::new()] {
        bus.relays[0].gossip.handle_report(98, &bytes, start);
    }
    bus.run(SILENCE + REPORT_INTERVAL, |_, _| {});
    assert!(bus.relays[0].open().is_some());
    bus.run(Duration::from_secs(63), |_, _| {});
    bus.relays[0].flood(bus.now);
    assert!(bus.relays[0].accepted >= BURST, "{}", bus.relays[0].accepted);
}

#[test]
fn a_full_report_of_many_sessions_has_several_parts() {
    let mut bus = Bus::new(2, Faults::default());
    let names: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
    let unlimited = Settings { max_sessions_per_account: 1, ..Settings::default() };
    bus.relays.iter().for_each(|relay| relay.limits.set(unlimited.clone()));
    let open = |relay: &Relay, name: &String| relay.limits.admit_session("app", "site", name).ok();
    let _sessions: Vec<_> = names.iter().filter_map(|name| open(&bus.relays[0], name)).collect();
    bus.run(REPORT_INTERVAL * 2, |_, _| {});
    assert!(names.iter().all(|name| open(&bus.relays[1], name).is_none()));
}
