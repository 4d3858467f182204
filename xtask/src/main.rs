//! The project's own build tool: `cargo xtask package | check | test | demo`. See docs/building.md.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks through them")]

mod apt;
mod core;
mod files;
mod npm;
mod runner;
mod stamp;
mod step;
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
    /// Builds the Rust core for JavaScript into js/src/generated, nothing else.
    Core,
    /// Prints the shell lines that select the toolchain with the wasm32 target: eval "$(cargo xtask toolchain)".
    Test,
    Toolchain,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not `Result` from main, which prints a backtrace where RUST_BACKTRACE is set.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    // cargo calls the runner as `<xtask> wasm-bindgen-test-runner <module> <test arguments>`, which clap must not read.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == runner::NAME) {
        return runner::run();
    }
    let workspace = Workspace::open()?;
    match Arguments::parse().command {
        Command::Core => core::build(&workspace),
        Command::Test => core::memory_growth_test(&workspace)?.run().map(drop).map_err(Into::into),
        Command::Toolchain => toolchain::print(&workspace),
    }
}
