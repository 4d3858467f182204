//! Measures the relay beside its peers and the bare limits. `cargo xtask bench` builds what is measured and runs this.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks through them")]

mod limit;
mod load;
mod plots;
mod process;
mod results;
mod scenarios;
mod servers;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand, ValueEnum as _};
use results::Results;
use scenarios::{Run, Scenario};
use servers::{Kind, Programs, Server};
use std::{fs, path::PathBuf, process::ExitCode};

#[derive(Parser)]
#[command(name = "sealwire-bench", about = "Measures the relay beside its peers and the bare limits")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs scenarios.
    Run(Options),
    /// Serves as one of the bare limits.
    Limit {
        /// One write for everything that waits for a connection.
        #[arg(long)]
        coalesced: bool,
    },
}

#[derive(clap::Args)]
struct Options {
    /// Which scenarios; all of them when none is named.
    #[arg(long, value_delimiter = ',', ignore_case = true)]
    scenario: Vec<Scenario>,
    /// Which servers; all that are installed when none is named.
    #[arg(long, value_delimiter = ',')]
    server: Vec<Kind>,
    /// How often everything is measured.
    #[arg(long, default_value_t = 5)]
    runs: u32,
    /// Fewer messages and connections.
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    programs: Programs,
    /// Folder for JSON, table and plots.
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Limit { coalesced } => limit::serve(coalesced),
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
    rlimit::increase_nofile_limit(u64::MAX)?;
    let chosen = |named: &[Scenario]| {
        if named.is_empty() { Scenario::value_variants().to_vec() } else { named.to_vec() }
    };
    let kinds =
        if options.server.is_empty() { Kind::value_variants().to_vec() } else { options.server.clone() };
    let mut results = Results::default();
    let mut failures = Vec::new();
    for scenario in chosen(&options.scenario) {
        // Side by side: a noisy moment meets every server.
        for number in 1..=options.runs {
            for kind in kinds.iter().copied().filter(|kind| scenario.concerns(*kind)) {
                let Some(server) = Server::start(kind, &options.programs)? else {
                    if number == 1 {
                        eprintln!("skipping {}: not installed", kind.name());
                    }
                    continue;
                };
                eprintln!("{scenario:?} {number}/{} {}", options.runs, kind.name());
                let mut run = Run { kind, server, results: &mut results, quick: options.quick };
                if let Err(error) = scenario.run(&mut run) {
                    eprintln!("  failed: {error:#}");
                    failures.push(format!("{scenario:?} {}: {error:#}", kind.name()));
                }
            }
        }
    }
    println!("{}", results.table());
    for failure in &failures {
        println!("failed: {failure}");
    }
    if let Some(folder) = &options.out {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(folder.join("results.json"), results.json()? + "\n")?;
        fs::write(folder.join("results.md"), results.table())?;
        plots::write(&results, folder)?;
    }
    Ok(())
}
