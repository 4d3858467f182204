//! The command line of the relay.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line talks on standard output and error"
)]

mod cli;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::Cli::parse().execute() {
        Ok(status) => status,
        Err(error) => {
            eprintln!("sealwire-relay: {error}");
            ExitCode::FAILURE
        }
    }
}
