//! `cargo xtask chaos`: real relays, NATS servers and clients under faults by a seeded schedule, with a check of every
//! message.

use std::process::ExitCode;

use anyhow::Result;

use crate::{cargo, iproute, nats, relay, step, workspace::Workspace};

/// The run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The minutes in which faults happen.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1440))]
    minutes: u32,
    /// The seed of faults and traffic; random without one. The output has it.
    #[arg(long)]
    seed: Option<u64>,
    /// The number of relays.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=8))]
    relays: u8,
    /// The publications per second.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rate: u32,
    /// Runs one relay with the embedded broker instead of a cluster on NATS.
    #[arg(long)]
    embedded: bool,
    /// Gives each process of the cluster a host of its own, whose network can fail (Linux).
    #[arg(long, conflicts_with = "embedded")]
    hosts: bool,
    /// The only kinds of faults, separated by commas, in this order again and again. Their names are in
    /// tests/src/chaos/faults/kind.rs, as in kill-leader.
    #[arg(long)]
    faults: Option<String>,
}

/// Runs it and prints the figures. The exit status is 1 if a guarantee is broken.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let Options { minutes, seed, relays, rate, embedded, hosts, faults } = options;
    if *hosts {
        iproute::ensure()?;
    }
    let server = nats::server(workspace)?;
    let relay = relay::build_quick(workspace)?;
    let mut arguments = vec!["run", "--quiet", "--locked", "--profile", relay::OPTIMIZED];
    arguments.extend(["--package", "sealwire-tests", "--bin", "sealwire-chaos", "--"]);
    let mut arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
    for (name, value) in
        [("minutes", minutes.to_string()), ("relays", relays.to_string()), ("rate", rate.to_string())]
    {
        arguments.extend([format!("--{name}"), value]);
    }
    arguments.extend(seed.iter().flat_map(|seed| ["--seed".to_owned(), seed.to_string()]));
    arguments.extend(embedded.then(|| "--embedded".to_owned()));
    arguments.extend(hosts.then(|| "--hosts".to_owned()));
    arguments.extend(faults.iter().flat_map(|faults| ["--faults".to_owned(), faults.clone()]));
    step::checking(&format!("{minutes} min of chaos"));
    let output = cargo::command(arguments)
        .dir(&workspace.root)
        .env("SEALWIRE_TEST_RELAY", relay)
        .env(nats::VARIABLE, server)
        .unchecked()
        .run()?;
    Ok(if output.status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
