//! A short run of chaos for each broker. `cargo xtask chaos` has the long one.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the test command shows the figures")]

use sealwire_tests::chaos::{BrokerKind, ChaosOptions, Verdict, run};
use std::{
    fs::{self, File},
    path::Path,
    process::{self, Command},
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// The seed of the short runs, so that a failure can be repeated. `SEALWIRE_SEED` replaces it.
const SEED: u64 = 20_260;

/// The variable in the environment of all processes of a run on hosts.
const MARK: &str = "SEALWIRE_TEST_CHAOS_RUN";

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

/// Runs chaos in this process, one run at a time, and checks that no process outlives it.
fn run_alone(broker: BrokerKind, duration: Duration) -> Verdict {
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let verdict = run(&options(broker, duration));
    let parent = format!("PPid:\t{}", process::id());
    let children = processes(|folder| {
        let status = fs::read_to_string(folder.join("status")).unwrap_or_default();
        status.lines().any(|line| line == parent)
    });
    let left: Vec<_> = children.into_iter().filter(|command| !command.contains("sealwire-chaos")).collect();
    assert_eq!(left, Vec::<String>::new(), "these processes outlive the run");
    verdict
}

/// Returns the command lines of the processes whose folder in /proc has the property; none without /proc.
fn processes(has_property: impl Fn(&Path) -> bool) -> Vec<String> {
    let folders =
        fs::read_dir("/proc").into_iter().flatten().map_while(Result::ok).map(|folder| folder.path());
    let found = folders.filter(|folder| has_property(folder));
    let commands = found.filter_map(|folder| fs::read_to_string(folder.join("cmdline")).ok());
    // The command line of a process that has ended is empty.
    commands.filter(|command| !command.is_empty()).collect()
}

#[test]
fn one_relay_breaks_no_guarantee_under_faults() {
    let verdict = run_alone(BrokerKind::Embedded, Duration::from_secs(20));
    println!("chaos, embedded broker:\n{verdict}");
    assert!(verdict.holds(), "{verdict}");
    assert!(verdict.acknowledged > 500 && verdict.reconnects > 10, "{verdict}");
}

#[test]
fn a_cluster_breaks_no_guarantee_under_faults() {
    let verdict = run_alone(BrokerKind::Nats { relays: 2 }, Duration::from_secs(75));
    println!("chaos, two relays on NATS:\n{verdict}");
    assert!(verdict.holds(), "{verdict}");
    assert!(verdict.acknowledged > 1_000 && verdict.reconnects > 20, "{verdict}");
}

/// The processes have hosts of their own, so that the network between them can fail without a word.
#[test]
fn a_cluster_of_hosts_breaks_no_guarantee_under_faults() {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let (figures, log) = (folder.path().join("figures"), folder.path().join("log"));
    let mark = process::id().to_string();
    let mut chaos = Command::new(env!("CARGO_BIN_EXE_sealwire-chaos"));
    chaos.args(["--hosts", "--brief", "--minutes", "1", "--seed", &SEED.to_string()]).env(MARK, &mark);
    // A pipe would last as long as any process that outlives the run.
    chaos.stdout(File::create(&figures).unwrap()).stderr(File::create(&log).unwrap());
    let status = chaos.status().expect("the program starts");
    let (figures, log) = (fs::read_to_string(figures).unwrap(), fs::read_to_string(log).unwrap());
    if log.starts_with("error: hosts need") {
        println!("chaos: not on hosts: {log}");
        return;
    }
    eprintln!("{log}");
    println!("chaos, two relays on NATS, each on a host:\n{figures}");
    assert!(status.success(), "{figures}");
    let mark = format!("{MARK}={mark}");
    let left = processes(|folder| {
        let variables = fs::read(folder.join("environ")).unwrap_or_default();
        variables.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    });
    assert_eq!(left, Vec::<String>::new(), "these processes outlive the run");
}
