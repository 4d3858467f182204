//! A short run of chaos for each broker. `cargo xtask chaos` has the long one.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the test command shows the figures")]

use sealwire_tests::chaos::{BrokerKind, ChaosOptions, run};
use std::{borrow::Cow, process::Command, time::Duration};

/// The seed of the short runs, so that a failure can be repeated. `SEALWIRE_SEED` replaces it.
const SEED: u64 = 20_260;

fn options(broker: BrokerKind, duration: Duration) -> ChaosOptions {
    let seed = std::env::var("SEALWIRE_SEED").ok().map_or(SEED, |text| text.parse().expect("a number"));
    ChaosOptions {
        broker,
        seed,
        duration,
        fault_durations: 1_500..3_500,
        faults: Vec::new(),
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

/// The processes have hosts of their own, so that the network between them can fail without a word.
#[test]
fn a_cluster_of_hosts_breaks_no_guarantee_under_faults() {
    let mut chaos = Command::new(env!("CARGO_BIN_EXE_sealwire-chaos"));
    let output = chaos.args(["--hosts", "--brief", "--minutes", "1", "--seed", &SEED.to_string()]).output();
    let output = output.expect("the program starts");
    let (figures, log) = (text(&output.stdout), text(&output.stderr));
    if log.starts_with("error: hosts need") {
        println!("chaos: not on hosts: {log}");
        return;
    }
    eprintln!("{log}");
    println!("chaos, two relays on NATS, each on a host:\n{figures}");
    assert!(output.status.success(), "{figures}");
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
