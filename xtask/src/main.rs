//! The project's build tool: `cargo xtask help` lists its commands, docs/building.md explains them.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool prints")]

mod apt;
mod bench;
mod cargo;
mod chaos;
mod check;
mod chromium;
mod client_speed;
mod core;
mod demo;
mod docs;
mod engines;
mod files;
mod fuzz;
mod help;
mod hex;
mod iproute;
mod links;
mod mutations;
mod nats;
mod npm;
mod package;
mod parallel;
mod path;
mod python;
mod relay;
mod runner;
mod samples;
mod stamp;
mod step;
mod strace;
mod structure;
mod test;
mod toolchain;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, checks and tests Sealwire")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the example app on a local stand-in for Forge and prints its address; with --cluster on several relays.
    Demo(demo::Options),
    /// Builds and packs the npm packages, prints their sizes and compares them with the budget.
    Package(package::Options),
    /// Builds only the Rust core for JavaScript, into js/src/generated.
    Core,
    /// Prints shell lines that select the toolchain with the wasm32 target: eval "$(cargo xtask toolchain)".
    Toolchain,
    /// Checks formats, lints, types, structure, links, samples, spelling and dependencies.
    Check(check::Options),
    /// Runs every test, or the named stages.
    Test(test::Options),
    /// Fuzzes every function that reads outside input.
    Fuzz(fuzz::Options),
    /// Inserts known bugs into a copy of the sources and checks that the seeded schedules find each of them.
    Mutations(mutations::Options),
    /// Runs relays, NATS servers and clients under faults, and checks that no message is lost, doubled or out of order.
    Chaos(chaos::Options),
    /// Measures the relay beside its peers and the limits of the kernel.
    Bench(bench::Options),
    /// Measures the start and the rate of delivery of a page in Chromium, and the cold start of a Forge function.
    ClientSpeed(client_speed::Options),
    /// Builds the documentation site and checks its links.
    Docs(docs::Options),
}

fn main() -> ExitCode {
    // A `Result` from main would print a backtrace if RUST_BACKTRACE is set.
    run().unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    let workspace = Workspace::open()?;
    let matches = help::grouped(Arguments::command()).get_matches();
    match Arguments::from_arg_matches(&matches)?.command {
        Command::Bench(options) => bench::run(&workspace, &options)?,
        Command::Chaos(options) => return chaos::run(&workspace, &options),
        Command::Check(options) => check::run(&workspace, &options)?,
        Command::ClientSpeed(options) => client_speed::run(&workspace, &options)?,
        Command::Core => core::build(&workspace)?,
        Command::Demo(options) => demo::run(&workspace, &options)?,
        Command::Docs(options) => docs::run(&workspace, &options)?,
        Command::Fuzz(options) => fuzz::run(&workspace, &options)?,
        Command::Mutations(options) => return mutations::run(&workspace, &options),
        Command::Package(options) => package::run(&workspace, &options)?,
        Command::Test(options) => return test::run(&workspace, &options),
        Command::Toolchain => toolchain::print(&workspace)?,
    }
    Ok(ExitCode::SUCCESS)
}
