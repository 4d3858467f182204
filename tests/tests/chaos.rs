//! A short run of chaos for each broker. `cargo xtask chaos` has the long one.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the test command shows the figures")]

use sealwire_tests::chaos::{BrokerKind, ChaosOptions, run};
use std::time::Duration;

/// The seed of the short runs, so that a failure can be repeated. `SEALWIRE_SEED` replaces it.
const SEED: u64 = 20_260;

fn options(broker: BrokerKind, duration: Duration) -> ChaosOptions {
    let seed = std::env::var("SEALWIRE_SEED").ok().map_or(SEED, |text| text.parse().expect("a number"));
    ChaosOptions {
        broker,
        seed,
        duration,
        fault_durations: 1_500..3_500,
        shuffled: false,
        rate: 60,
        log: |line| eprintln!("{line}"),
    }
}

#[test]
fn one_relay_breaks_no_guarantee_under_faults() {
    let verdict = run(&options(BrokerKind::Embedded, Duration::from_secs(20)));
    println!("chaos, embedded broker:\n{verdict}");
    assert!(verdict.holds(), "{verdict}");
    assert!(verdict.acknowledged > 500 && verdict.reconnects > 10, "{verdict}");
}

#[test]
fn a_cluster_breaks_no_guarantee_under_faults() {
    let verdict = run(&options(BrokerKind::Nats { relays: 2 }, Duration::from_secs(75)));
    println!("chaos, two relays on NATS:\n{verdict}");
    assert!(verdict.holds(), "{verdict}");
    assert!(verdict.acknowledged > 1_000 && verdict.reconnects > 20, "{verdict}");
}
