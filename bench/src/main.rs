//! Measures the relay beside its peers and beside minimal servers, the bare limits. `cargo xtask bench` builds the
//! servers and runs this program.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool prints its output")]

mod aims;
mod balancer;
mod busy;
mod cluster;
mod curves;
mod kind;
mod limit;
mod load;
mod open_files;
mod pages;
mod plots;
mod process;
mod results;
mod scenarios;
mod servers;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand, ValueEnum as _};
use curves::Curves;
use kind::Kind;
use results::Results;
use scenarios::{Run, Scenario};
use servers::{Programs, Server};
use std::{fs, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

#[derive(Parser)]
#[command(name = "sealwire-bench", about = "Measures the relay beside its peers and the bare limits")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the scenarios and print a table of the results.
    Run(Options),
    /// Run the scenarios of a cluster, and print a table of the results and of the aims.
    Cluster(cluster::Options),
    /// Serve as the balancer in front of relays, until the process is killed.
    Balance {
        /// The addresses of the relays. A client comes to the first one that accepts its connection.
        #[arg(required = true)]
        relays: Vec<SocketAddr>,
    },
    /// Serve as a minimal server, until the process is killed.
    Limit {
        /// Combine all waiting messages of a connection into one write.
        #[arg(long)]
        coalesced: bool,
    },
}

#[derive(clap::Args)]
struct Options {
    /// Scenarios to run, separated by commas [default: all].
    #[arg(long, value_delimiter = ',', ignore_case = true)]
    scenario: Vec<Scenario>,
    /// Servers to measure, separated by commas [default: all that are installed].
    #[arg(long, value_delimiter = ',')]
    server: Vec<Kind>,
    /// Number of runs of each scenario and server.
    #[arg(long, default_value_t = 5)]
    runs: u32,
    /// Use fewer messages and connections.
    #[arg(long)]
    quick: bool,
    /// Seconds for which scenario D leaves the connections idle before it reads the memory.
    #[arg(long, default_value_t = 0.5)]
    idle: f64,
    #[command(flatten)]
    programs: Programs,
    /// Folder for results.json, results.md and the charts [default: none].
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Limit { coalesced } => limit::serve(coalesced),
        Command::Cluster(options) => cluster::run(&options),
        Command::Balance { relays } => balancer::serve(&relays),
        Command::Run(options) => run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    open_files::raise_limit()?;
    let chosen = |named: &[Scenario]| {
        if named.is_empty() { Scenario::value_variants().to_vec() } else { named.to_vec() }
    };
    let kinds =
        if options.server.is_empty() { Kind::value_variants().to_vec() } else { options.server.clone() };
    let (mut results, mut curves) = (Results::default(), Curves::default());
    let mut failures = Vec::new();
    for scenario in chosen(&options.scenario) {
        // The servers alternate, so that a disturbance of the machine affects all of them.
        for number in 1..=options.runs {
            for kind in kinds.iter().copied().filter(|kind| scenario.applies_to(*kind)) {
                let Some(server) = Server::start(kind, &options.programs)? else {
                    if number == 1 {
                        eprintln!("skipping {}: not installed", kind.name());
                    }
                    continue;
                };
                eprintln!("{scenario:?} {number}/{} {}", options.runs, kind.name());
                let mut run = Run {
                    kind,
                    server,
                    programs: &options.programs,
                    results: &mut results,
                    curves: &mut curves,
                    quick: options.quick,
                    idle: Duration::try_from_secs_f64(options.idle)?,
                };
                if let Err(error) = scenario.run(&mut run) {
                    eprintln!("  failed: {error:#}");
                    failures.push(format!("{scenario:?} {}: {error:#}", kind.name()));
                }
            }
        }
    }
    println!("{}{}", results.table(), curves.table());
    for failure in &failures {
        println!("failed: {failure}");
    }
    if let Some(folder) = &options.out {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(folder.join("results.json"), results.json()? + "\n")?;
        fs::write(folder.join("results.md"), results.table() + &curves.table())?;
        plots::write(&results, folder)?;
        curves.write(folder)?;
    }
    Ok(())
}
