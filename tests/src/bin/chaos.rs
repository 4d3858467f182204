//! `cargo xtask chaos`: a long run of chaos, and its figures.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool prints")]

use clap::Parser;
use sealwire_tests::{
    chaos::{BrokerKind, ChaosOptions, FaultKind, run},
    hosts,
};
use std::{process::ExitCode, time::Duration};

/// The options of the command.
#[derive(Parser)]
#[command(
    name = "sealwire-chaos",
    about = "Relays, NATS servers and clients under faults, with a check of every message"
)]
struct Arguments {
    /// The minutes in which faults happen.
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// The seed of the schedule; random without one.
    #[arg(long)]
    seed: Option<u64>,
    /// The number of relays.
    #[arg(long, default_value_t = 2)]
    relays: usize,
    /// The publications per second.
    #[arg(long, default_value_t = 60)]
    rate: u32,
    /// Runs one relay with the embedded broker instead of a cluster.
    #[arg(long)]
    embedded: bool,
    /// Gives each process of the cluster a host of its own, whose network can fail (Linux).
    #[arg(long, conflicts_with = "embedded")]
    hosts: bool,
    /// Causes only these faults, in this order, again and again.
    #[arg(long, value_delimiter = ',')]
    faults: Vec<FaultKind>,
    /// Lets each fault last a few seconds only, in the order of their importance.
    #[arg(long)]
    brief: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.hosts
        && let Err(problem) = hosts::enter()
    {
        eprintln!("error: {problem}");
        return ExitCode::from(2);
    }
    let seed = arguments.seed.unwrap_or_else(|| {
        let mut bytes = [0; 4];
        getrandom::fill(&mut bytes).expect("the system has randomness");
        u32::from_le_bytes(bytes).into()
    });
    let Arguments { relays, .. } = arguments;
    let broker = match &arguments {
        Arguments { embedded: true, .. } => BrokerKind::Embedded,
        Arguments { hosts: true, .. } => BrokerKind::NatsOnHosts { relays },
        _ => BrokerKind::Nats { relays },
    };
    println!("seed {seed}");
    let verdict = run(&ChaosOptions {
        broker,
        seed,
        duration: Duration::from_secs(60 * arguments.minutes),
        fault_durations: if arguments.brief { 2_000..6_000 } else { 2_000..15_000 },
        shuffled: !arguments.brief && arguments.faults.is_empty(),
        faults: arguments.faults,
        rate: arguments.rate,
        log: |line| eprintln!("{line}"),
    });
    print!("{verdict}");
    println!("seed                             {seed}");
    if verdict.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
