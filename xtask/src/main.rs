//! The project's own build tool: `cargo xtask package | check | test | demo`. See docs/building.md.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks through them")]

mod apt;
mod bench;
mod check;
mod chromium;
mod client_speed;
mod core;
mod demo;
mod engines;
mod files;
mod fuzz;
mod hex;
mod mutations;
mod npm;
mod package;
mod path;
mod python;
mod relay;
mod runner;
mod stamp;
mod step;
mod strace;
mod test;
mod toolchain;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use workspace::Workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, checks and tests Sealwire")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures the relay beside its peers and the limits of the kernel.
    Bench(bench::Options),
    /// Judges the source: formatting, lints, types, dependencies.
    Check,
    /// Measures how soon a page is connected and how fast it receives, in Chromium.
    ClientSpeed,
    /// Builds the Rust core for JavaScript into js/src/generated, nothing else.
    Core,
    /// Runs the example app on a local stand-in for Forge and prints its address.
    Demo(demo::Options),
    /// Feeds everything that reads outside input with random input.
    Fuzz(fuzz::Options),
    /// Puts known bugs into a copy of the sources and checks that the seeded schedules find each.
    Mutations,
    /// Builds the npm package, packs it and prints its sizes.
    Package,
    /// Runs every test, or the named stages.
    Test(test::Options),
    /// Prints the shell lines that select the toolchain with the wasm32 target: eval "$(cargo xtask toolchain)".
    Toolchain,
}

fn main() -> ExitCode {
    // Not `Result` from main, which prints a backtrace where RUST_BACKTRACE is set.
    run().unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    // cargo calls the runner as `<xtask> wasm-bindgen-test-runner <module> <test arguments>`, which clap must not read.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == runner::NAME) {
        runner::run()?;
        return Ok(ExitCode::SUCCESS);
    }
    let workspace = Workspace::open()?;
    match Arguments::parse().command {
        Command::Bench(options) => bench::run(&workspace, &options)?,
        Command::Check => check::run(&workspace)?,
        Command::ClientSpeed => client_speed::run(&workspace)?,
        Command::Core => core::build(&workspace)?,
        Command::Demo(options) => demo::run(&workspace, &options)?,
        Command::Fuzz(options) => fuzz::run(&workspace, &options)?,
        Command::Mutations => return mutations::run(&workspace),
        Command::Package => package::run(&workspace)?,
        Command::Test(options) => return test::run(&workspace, &options),
        Command::Toolchain => toolchain::print(&workspace)?,
    }
    Ok(ExitCode::SUCCESS)
}
